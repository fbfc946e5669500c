"""What every error code means, for ``guard explain CODE``. Sorted; a code is never reused."""

from __future__ import annotations

CODES: dict[str, str] = {
    "disk.failed": (
        "The operating system reported that the disk could not store or give back data. What was being written is"
        " not under its final name. Check the disk before trusting anything on it."
    ),
    "disk.full": (
        "There was no room left, or a quota or size limit was reached. Nothing half-written stays behind under a "
        "final name; free some space and run the command again."
    ),
    "extra.missing": (
        "An optional part of mediaguard is not installed. The core stays small on purpose; what an absent part "
        "would have checked is reported as not checked, never as passed. The hint names the command that adds it."
    ),
    "generate.failed": (
        "The model was called and the library under it refused: an argument it does not take, or a size its "
        "layers cannot work with. The line quotes the library. Nothing was made."
    ),
    "generate.not-finite": (
        "The model's result holds NaN or infinity, which is no picture. It happens with half precision on some "
        "processors, with schedulers that do not fit the model, and with very high guidance. Nothing is released"
        " from such a result."
    ),
    "generate.out-of-memory": (
        "The model and its intermediate results do not fit into the memory of this machine. Ask for smaller or "
        "fewer pictures at a time, or use a smaller model."
    ),
    "generate.replaced": (
        "A warning: the model's own safety checker found something and replaced the picture with black. "
        "mediaguard shows this because a black picture without a reason is no answer."
    ),
    "identity.bad_lifetime": (
        "A claim-signing certificate lives between 1 and 366 days (C2PA certificate profile). Development "
        "identities default to 90 days and are renewed with guard keys renew."
    ),
    "identity.bad_name": (
        "The name of an identity stands in its certificate and becomes public with every file it signs. It has 1 "
        "to 64 printable characters; mediaguard never takes it from the user or host name."
    ),
    "input.animated": (
        "The file holds more than one picture: an animation, or a document of several pages. Picture commands act"
        " on exactly one, because a mark or digest of the first frame would say nothing about the others. Export "
        "the frame you mean, or use the video commands."
    ),
    "input.damaged": (
        "The container was recognised, but its content cannot be decoded: a checksum fails, a table is missing, "
        "or values contradict each other. Nothing is concluded from the part that could be read. Export the "
        "picture again from its source."
    ),
    "input.empty": ("The file has no bytes at all. A copy or download that failed leaves such files behind."),
    "input.folder": (
        "A folder was given where one file is needed. Name the files in it, for instance with a shell pattern."
    ),
    "input.missing": (
        "There is no file of this name, or a part of the path is not a folder, or the name holds a character no "
        "file name may have."
    ),
    "input.not-media": (
        "The bytes are no picture, video, sound or PDF that is known here. The type is taken from the content and"
        " never from the extension, so renaming does not help. Pipes and devices are refused for the same reason:"
        " they have no content of their own."
    ),
    "input.too-large": (
        "The file, or the picture its header announces, exceeds the limits under which untrusted media are "
        "parsed. Sizes are checked before a pixel is decoded, so that a small file cannot claim all memory or "
        "hours of work. Scale the picture down, or raise the limit if you trust its source."
    ),
    "input.truncated": (
        "The file ends before its own format says it should: a copy or download stopped early. Copy or download "
        "it again."
    ),
    "input.unreadable": (
        "The operating system refuses to open or read the file. Check its permissions and the medium it is on."
    ),
    "input.unsupported": (
        "The type is known, but its pixels cannot be decoded here: a format without a picture codec, or a layout "
        "(32-bit, floating point, Lab, separate 16-bit planes) without an agreed way to show it. Convert it to "
        "PNG, JPEG, WebP or TIFF with 8 or 16 bits a channel."
    ),
    "manifest.bad_value": (
        "A value asked for in a manifest does not have the form C2PA or mediaguard gives it: content ids and "
        "commitments are lower-case hex, a title names a file without folders, enumerated fields take their "
        "listed values."
    ),
    "manifest.unbound_mark": (
        "The action c2pa.watermarked.bound says that a mark in the pixels leads back to this manifest. It may "
        "only be written together with the soft binding that names the mark and its value."
    ),
    "key.damaged": (
        "The key file is not one that mediaguard wrote: it cannot be parsed, or the id in it is not that of the "
        "secret in it. Restore it from a copy. A new key does not open what the old one made."
    ),
    "key.kind": (
        "The file holds a key for another purpose. Locator, log, records and signing keys are separate on "
        "purpose: one of them is made to be handed out, the others never are."
    ),
    "key.missing": (
        "A key that this command needs does not exist. guard init makes the keys of an installation and never "
        "overwrites one."
    ),
    "key.permissions": (
        "Other users of this machine may read the key, so it has to be taken as known to them. Close the file "
        "with chmod 600; if the machine has other users, consider making a new key."
    ),
    "key.unreadable": (
        "The key file is there but the operating system refuses to open it. Check who owns it."
    ),
    "key.version": ("The key file was written by a newer mediaguard. Update this installation."),
    "lock.timeout": (
        "Another guard process is writing here and did not finish in time. The lock ends with the process that "
        "holds it, so there is never a stale one to delete."
    ),
    "log.checkpoint-malformed": (
        "The checkpoint is not a signed note over origin, size and root (C2SP tlog-checkpoint). It was changed or"
        " replaced; the log cannot be judged without it. Restore it from a copy or from a published file."
    ),
    "log.checkpoint-missing": (
        "There are log entries but no checkpoint that covers them. A crash cannot cause this; the file was "
        "removed. Restore it from a copy or from a published file."
    ),
    "log.checkpoint-signature": (
        "The checkpoint is not signed by the log's key, or its text was changed after signing."
    ),
    "log.entry-changed": (
        "A log entry does not have the hash that was recorded for it: the entry, or the hash, was changed or "
        "moved after it was written."
    ),
    "log.entry-missing": (
        "Entries that the checkpoint covers are not in the files any more, or a length in front of one of them "
        "was changed."
    ),
    "log.entry-too-large": (
        "A log entry holds at most 65,535 bytes, because its length is written in two. Log a digest instead of "
        "the content."
    ),
    "log.exists": ("There is a log in this folder already, and a log is never overwritten."),
    "log.forked": (
        "The log does not contain what an earlier checkpoint of the same key covered: its past was rewritten, or "
        "two histories were signed with one key."
    ),
    "log.leaf-malformed": (
        "A log entry is not one of the leaves that mediaguard writes: an unknown type or version, a missing or "
        "extra field, or another spelling of the same JSON."
    ),
    "log.missing": ("There is no transparency log in this folder. guard init makes one."),
    "log.no-entry": ("The log has no entry of this number. Entries are counted from 0."),
    "log.no-proof": ("Proofs exist for entries and sizes that the log's current checkpoint covers."),
    "log.origin": ("The checkpoint is signed with the right key but belongs to a log of another name."),
    "log.read-only": (
        "The log was opened without its private key, so it can be read and checked but not extended."
    ),
    "log.root-mismatch": (
        "The stored entries or hashes do not give the root that the checkpoint signs: something that it covers "
        "was changed, removed, added or moved."
    ),
    "log.tile-changed": ("A hash in an upper level of the log is not the hash of what lies below it."),
    "log.tile-missing": ("Hashes that the checkpoint covers are not in the files any more."),
    "log.truncated": ("The log has fewer entries than a checkpoint of its key says: the end was cut off."),
    "media.damaged": (
        "The container of the file is broken: a chunk, segment or directory reaches past its end. If the file "
        "carried any trace of a manifest the verdict would be MALFORMED instead of this error; here there is "
        "none. Fetch the file again."
    ),
    "media.unreadable": (
        "The C2PA library cannot search this kind of file, or this damaged file, for a manifest, so nothing is "
        "said about it. That is different from having searched and found none."
    ),
    "metadata.bad_text": (
        "A model or program name that should go into the XMP holds characters XML cannot carry, such as control "
        "characters."
    ),
    "metadata.damaged": (
        "The XMP packet of the file is not well-formed XML, is nested deeper than XMP needs, or declares a "
        "document type, which XMP forbids and attackers use. What it says is not read; the manifest is judged on "
        "its own."
    ),
    "metadata.too_large": (
        "XMP packets over 1 MiB are not read, and what is written has to fit one JPEG segment (65,533 bytes)."
    ),
    "metadata.unsupported_media": (
        "Metadata are read and written in PNG, JPEG, WebP and single-page TIFF files. In other containers they "
        "are reported as not checked."
    ),
    "metadata.would_break_signature": (
        "The file is signed, and its signature covers the metadata: writing or stripping them would turn it into "
        "a tampered file. Release the file instead; its manifest then becomes the history of the new one."
    ),
    "model.bad-reference": (
        "A model reference has one of three forms: bundled:NAME for a model that ships with mediaguard, dir:PATH"
        " for a diffusers folder on this machine, hf:ORG/NAME@COMMIT for a hub model."
    ),
    "model.none-bundled": (
        "This installation holds no bundled model at all: files are missing from the package. Install it again."
    ),
    "model.not-loadable": (
        "The folder looks like a diffusers model and its weights are safetensors, but diffusers cannot build the"
        " pipeline: a configuration is missing or belongs to another version. The line quotes diffusers."
    ),
    "model.not-local": (
        "A hub model is used from the local cache, and this commit of it is not there. mediaguard does not fetch"
        " models unless told to, so that a run offline and a run online do the same."
    ),
    "model.not-pinned": (
        "A branch or tag of a hub model can be moved to other weights at any time; a recipe that names one "
        "proves nothing. Name the full commit id."
    ),
    "model.unknown": ("No model of this name ships with mediaguard. The hint lists those that do."),
    "model.video": ("The model makes clips, and the adapter that was asked makes pictures."),
    "output.alpha": (
        "The picture has transparency and the chosen format has none. Dropping it silently would change what "
        "people see, so choose PNG, WebP or TIFF, or flatten the picture first."
    ),
    "output.depth": (
        "The picture has 16 bits a channel and the chosen format cannot hold them. Choose PNG or TIFF, or reduce "
        "the picture to 8 bits first."
    ),
    "output.exists": ("A file of this name exists and is not replaced unless --force is given."),
    "output.folder": (
        "The folder for the results does not exist, or is not a folder. It is not created silently, since a "
        "typing error would scatter files."
    ),
    "output.format": (
        "Pictures are written as PNG, JPEG, WebP or TIFF. The name of the output or the option asks for something"
        " else, or the encoder refused the picture."
    ),
    "output.frames": (
        "More than one frame was to be written into a still picture. Write a clip instead, or choose one frame."
    ),
    "output.quality": (
        "The quality of JPEG and WebP is a whole number from 1 to 100. PNG and TIFF lose nothing and ignore it."
    ),
    "output.size": (
        "The chosen format cannot hold a picture with so long a side. Choose PNG or TIFF, or scale the picture "
        "down."
    ),
    "output.unwritable": (
        "The operating system refuses to write here: permissions, a read-only medium, or a name it does not "
        "allow. This is checked before the work starts."
    ),
    "policy.base-altered": (
        "The base pack of this installation lacks one of its hard rules, or one was weakened: no longer hard, "
        "not denying, or not asked at all its stages. Nothing is decided with it. Reinstall mediaguard; rules of "
        "your own belong into a pack of their own, which is used beside the base pack."
    ),
    "policy.base-replaced": (
        "A chosen pack calls itself base. The base pack is part of every decision and cannot be exchanged; give "
        "the other pack another name, and its rules count in addition."
    ),
    "policy.denied": (
        "A rule of the policy is not satisfied, so nothing was made or released. The decision lists every rule "
        "that was asked, how it came out and which facts it read; guard explain RULE shows a rule's wording. A "
        "fact that is missing or could not be found out does not satisfy a rule."
    ),
    "policy.duplicate-rule": (
        "Two of the packs used together have a rule of the same id, so a decision could not say which of them it "
        "means. Rename one."
    ),
    "policy.no-base": (
        "The folder of packs holds no base pack. No decision is made without it. Reinstall mediaguard."
    ),
    "policy.no-rule": (
        "No chosen pack has a rule that is known to apply at this stage, and silence is not permission. Choose a "
        "pack that covers the stage, or let yours say so: a rule for the stage, or an entry under default."
    ),
    "policy.other-subject": (
        "A decision was presented for bytes, or at a stage, that it was not made for. Every file needs the "
        "decision for exactly its own bytes; decide again."
    ),
    "policy.review": (
        "A rule asks for a person's look before this may go on; until then it counts as not allowed. The "
        "decision says which rule and why."
    ),
    "policy.schema": (
        "The pack or term list is readable YAML, but not of the expected shape: a key is missing, unknown or of "
        "the wrong kind. The message points at the line; policies/schema/pack.schema.json lets an editor check "
        "while you type."
    ),
    "policy.syntax": (
        "An expression in a pack does not follow the grammar of the policy language. The message points at the "
        "character; docs/reference/policy-language.md has the grammar on a page."
    ),
    "policy.type": (
        "An expression in a pack compares or combines what does not go together: a number with a text, a word "
        "that an enumeration never has, has() where missing evidence would count in favour. The message points "
        "at the character."
    ),
    "policy.unknown-name": (
        "An expression in a pack names a fact or parameter that does not exist. The hint has the nearest known "
        "name; docs/reference/policy-language.md lists all facts."
    ),
    "policy.unknown-pack": (
        "No pack that comes with mediaguard has this name. Anything with a slash or the ending .yaml is taken as "
        "the path of a file instead."
    ),
    "policy.unreadable": ("The file of the pack cannot be opened, or is not UTF-8 text."),
    "policy.unsealed": (
        "A decision was presented that the policy did not make in this process, or that was changed afterwards. "
        "Decisions are not stored for later use and not passed between processes; decide again."
    ),
    "policy.yaml": (
        "The file is not YAML as packs and term lists are written: a syntax error, a duplicate key, an alias, an "
        "anchor, a tag, or too deep. The message points at the place."
    ),
    "prompt.control-characters": (
        "The prompt or negative prompt holds control characters or broken text that no keyboard types. They can "
        "hide words from a reader, so nothing is guessed: type the prompt again or paste it as plain text."
    ),
    "prompt.no-subject": (
        "A warning: the bundled model draws 19 professions and the prompt names none of them, in any of the "
        "synonyms it knows. It draws one at random, which is probably not what was asked for."
    ),
    "prompt.one-at-a-time": (
        "A warning: the bundled model draws one person with one profession, presentation, tone and style. The "
        "first of each that the prompt names was used."
    ),
    "prompt.too-long": (
        "The prompt or negative prompt is longer than 4,000 characters. Text encoders read a few hundred tokens; "
        "what lies beyond would not be drawn, only hidden from review. Shorten it."
    ),
    "prompt.truncated": (
        "A warning: a text encoder has a fixed length, and the prompt is longer. The end of it did not reach the"
        " model; the private record holds the part that did."
    ),
    "prompt.unknown-words": (
        "A warning: the model was not trained on these words, so they cannot have an effect. The bundled model "
        "has a small vocabulary, listed in its model card; words for children or for origin are unknown to it on"
        " purpose."
    ),
    "recipe.malformed": (
        "The file is not a recipe of the version this installation reads, or fields are missing, unknown or of "
        "the wrong type. A recipe is written by the release and is not meant to be edited."
    ),
    "registry.busy": (
        "Another process kept the registry locked for longer than the time-out. Try again; if it lasts, look for "
        "a guard process that hangs."
    ),
    "registry.conflict": (
        "The registry already knows this manifest with other facts: another file, time or log index. One of the "
        "two is wrong."
    ),
    "registry.damaged": (
        "The registry file cannot be read as SQLite, or a manifest in it does not have its recorded digest. "
        "Restore it from a copy; the log and the released files still hold what is needed to rebuild it."
    ),
    "registry.foreign": ("The file is an SQLite database of another program and is left alone."),
    "registry.too-new": (
        "The registry was written by a newer mediaguard with another schema. Update this installation."
    ),
    "registry.unknown-manifest": ("A manifest was to be marked as released that was never registered."),
    "registry.unwritable": (
        "The registry file, or the folder it is in, cannot be read or written. SQLite needs to create files "
        "beside it."
    ),
    "request.out-of-range": (
        "A number of the request lies outside what any model can do, or no picture or too many pictures were "
        "asked for. The line names the field and its range."
    ),
    "request.scheduler": (
        "The name of the scheduler is not one that is known here. The hint lists the names."
    ),
    "request.size": (
        "Latent models work in blocks of 8 pixels, and the bundled model draws squares. Choose such a size."
    ),
    "request.unsupported": (
        "The request has a part that this model cannot honour, for instance a start picture for a model that "
        "only reads text, or an option its call does not have. Nothing is ignored silently; leave the part out "
        "or choose another model."
    ),
    "sign.certificate_refused": (
        "The C2PA library refused the signing certificate. It needs an accepted extended key usage (C2PA claim "
        "signing, e-mail protection or document signing), the key usage digitalSignature, an authority key "
        "identifier, must not be self-signed, and must be valid now."
    ),
    "sign.library_failed": (
        "Signing failed inside the C2PA library for a reason it does not name. Nothing was written. Please report"
        " it with the library's sentence."
    ),
    "sign.manifest_too_large": (
        "The statements asked for exceed 1 MiB. mediaguard's own need a few kilobytes; a very long prompt "
        "published with --include-prompt is the usual reason."
    ),
    "sign.parent_unreadable": (
        "The source carries a manifest that is too damaged to become the history of the new one. guard does not "
        "drop it silently. Look at it with guard verify; a copy without the manifest can be signed, as a new "
        "beginning."
    ),
    "sign.read_back": (
        "The file just signed was read back with the verifier and did not say what it should. It was not kept. "
        "This points to a bug or to faulty memory, never to your input."
    ),
    "sign.rubric": (
        "The manifest definition would fail a check of the C2PA asset rubrics that every manifest of mediaguard "
        "passes. Nothing was signed."
    ),
    "sign.unsupported_media": (
        "Manifests are put into PNG, JPEG, WebP and TIFF files. Convert the file first; the media type is taken "
        "from its content, not from its name."
    ),
    "signer.bad_chain": (
        "The certificate chain is a PEM file with the signer's certificate first and the certificates of its "
        "issuers after it."
    ),
    "signer.bad_key": (
        "The private key is a PEM file (PKCS 8 or a traditional format). This one cannot be read, and it is not "
        "encrypted, so no passphrase would help."
    ),
    "signer.chain_missing": (
        "The file with the signer's certificate cannot be read. guard init makes a development identity; guard "
        "doctor shows which files are expected where."
    ),
    "signer.expired": (
        "The signing certificate is no longer valid. Files it signed before stay verifiable as EXPIRED, or as "
        "before where a time stamp proves when they were signed. Development identities are renewed with guard "
        "keys renew."
    ),
    "signer.key_exposed": (
        "Other users of this machine can read the private key, so a signature no longer shows who signed. Take "
        "the permissions away (mode 600) and consider issuing a new key."
    ),
    "signer.key_mismatch": (
        "Key and certificate do not belong together: a test signature made with the key does not verify against "
        "the certificate. Without this check every file would be signed invalidly."
    ),
    "signer.key_missing": (
        "The file with the private key cannot be read. guard init makes a development identity; guard doctor "
        "shows which files are expected where."
    ),
    "signer.not_yet_valid": (
        "The signing certificate becomes valid later than now. Usually the clock of this machine is wrong."
    ),
    "signer.passphrase_needed": (
        "The private key is encrypted and no way to ask for its passphrase was given."
    ),
    "signer.passphrase_wrong": ("The passphrase does not open the private key. Nothing was changed."),
    "signer.unsupported_key": (
        "C2PA signs with ECDSA on P-256, P-384 or P-521, with Ed25519, or with RSA of at least 2048 bits (PSS)."
    ),
    "train.source-missing": (
        "Training reads pictures from two npm packages that are unpacked by hand, and a file that should be in "
        "one of them is not there. Check version and path."
    ),
    "trust.bad_name": (
        "The name of a trust list is shown in every verdict that rests on it: lower-case letters, digits and "
        "hyphens, and each name once."
    ),
    "trust.bad_tier": (
        "A trust list is official, interim, own or development. Unknown is what a signer on no list is called."
    ),
    "trust.digest_mismatch": (
        "A trust list changed on disk since it was added. It is refused as a whole, because a certificate may "
        "have been put into it. Remove it and add it again from its source."
    ),
    "trust.index_damaged": (
        "The index of the trust folder (lists.json) cannot be read or does not fit its files. No list is used in "
        "part; restore the folder, or remove it and add the lists again."
    ),
    "trust.list_damaged": (
        "A trust list holds a certificate that cannot be parsed. Fetch the list again from its source."
    ),
    "trust.not_certificates": ("A trust list is a PEM file with at least one certificate, at most 4 MiB."),
    "trust.unknown_list": ("There is no trust list of this name. guard trust list shows those there are."),
    "weights.changed": (
        "The weights of a bundled model do not have the digests that were published with this version: the "
        "installation is damaged or somebody changed it. Nothing is generated with them."
    ),
    "weights.foreign-code": (
        "The model asks for classes from outside diffusers and transformers, that is, for code written by its "
        "author to run on this machine. mediaguard never runs such code."
    ),
    "weights.link-outside": (
        "The model folder contains a symbolic link to a file outside of it. Copy the file into the folder if it "
        "belongs there."
    ),
    "weights.no-model": (
        "The path is not a model in the diffusers layout: a folder with model_index.json and a folder of "
        "safetensors weights for each component. Single-file checkpoints are converted with diffusers first."
    ),
    "weights.not-safetensors": (
        "A file is named .safetensors and does not begin as that format does. It is damaged, or a large-file "
        "pointer that was never resolved, or something else under a borrowed name."
    ),
    "weights.pickle-only": (
        "The weights come as .bin, .pt or .ckpt files. These are pickles: loading one runs whatever code its "
        "author put in. mediaguard loads safetensors only and never falls back."
    ),
    "weights.too-large": (
        "The weight files of this folder are larger together than any model this adapter is meant for. Check "
        "that the path is the model's own folder."
    ),
}
