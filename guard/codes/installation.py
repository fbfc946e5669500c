"""Codes of the machine, the installation and the command line. Sorted."""

from __future__ import annotations

INSTALLATION: dict[str, str] = {
    "answer.needed": "The command asks before it does something that cannot be taken back, or that decides whom this installation trusts, and there is no terminal to ask on. Only a terminal is asked: what comes through a pipe is never taken for an answer. Look at what it would do, and run it again with --yes. Nothing was changed.",
    "bug": "guard met something it did not expect. Exit code 70. Run the command again as guard --debug … and report the traceback.",
    "command.interrupted": "The command was ended from outside (Ctrl-C) before it was done. What it had finished until then is kept and listed beside this; of what it was at work on nothing is left behind. The exit code is 130.",
    "config.invalid": "The settings in config.toml cannot be used: it is no TOML, names a setting that does not exist, or gives one a value of the wrong kind. Nothing was guessed in its place. Mend the file, or remove it and run guard init to get the commented default back.",
    "disk.failed": "The operating system reported that the disk could not store or give back data, or a limit on file sizes was reached. What was being written is not under its final name. Check the disk before trusting anything on it.",
    "disk.full": "There was no room left, or a quota or size limit was reached. Nothing half-written stays behind under a final name; free some space and run the command again.",
    "explain.unknown": "guard explain takes an error code, as printed in error[CODE], or the id of a policy rule, as printed with a refusal.",
    "extra.missing": "An optional part of mediaguard is not installed. The core stays small on purpose; what an absent part would have checked is reported as not checked, never as passed. The hint names the command that adds it.",
    "home.exists": "guard signer join makes a new home for the side that generates, without keys of its own. This folder is a home already; joining would mix its keys and records with those of the signer's client. Set GUARD_HOME to another folder.",
    "home.missing": "Releasing needs keys, a log and a registry, and this installation has none yet. guard init makes them. GUARD_HOME names another folder for them.",
    "home.unusable": "The folder for keys, log and registry cannot be made, read or written to. Mend its permissions, or set GUARD_HOME to a folder of yours.",
    "install.shadowed": "mediaguard's packages audits, generators and provenance have common names, and Python found others of the same name first: a folder where guard was started, or an entry of PYTHONPATH. Run guard from another folder or take that path away.",
    "lock.timeout": "Another guard process is writing here and did not finish in time. The lock ends with the process that holds it, so there is never a stale one to delete.",
    "usage": "The command line has an option, argument or command that does not exist, lacks one that is needed, or gives one a value it cannot have. Nothing was done. The hint names the help of the command.",
}
