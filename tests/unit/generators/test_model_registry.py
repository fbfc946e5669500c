"""References, what is bundled, and that nothing heavy loads before a model does."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generators import registry
from generators.registry import ModelRef, bundled, load, parse
from generators.request import GenerationRequest
from provenance.errors import ConfigurationError, InputError

ROOT = Path(__file__).resolve().parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("bundled:emoji", ModelRef(kind="bundled", name="emoji")),
        ("dir:/a/b:c", ModelRef(kind="dir", name="/a/b:c")),
        (f"hf:org/name@{COMMIT}", ModelRef(kind="hf", name="org/name", revision=COMMIT)),
    ],
)
def test_references_read_and_print_the_same(text: str, ref: ModelRef) -> None:
    assert parse(text) == ref
    assert str(ref) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "emoji",
        "bundled:",
        "http://x",
        "pip:thing",
        ":emoji",
        "dir:a\0b",
        "dir:" + "a" * 5000,
        "dir:~a\0b/c",
        "dir:\ud800",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.code == "model.bad-reference"


def test_the_folder_of_a_user_that_there_is_none_of_is_no_model() -> None:
    with pytest.raises(InputError) as caught:
        load("dir:~nobody-of-this-name/model")
    assert caught.value.code == "weights.no-model"


@pytest.mark.parametrize(
    "text", ["hf:org/name", "hf:org/name@main", f"hf:name@{COMMIT}", "hf:org/name@" + "z" * 40]
)
def test_hub_models_need_a_full_commit(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.code == "model.not-pinned"


@pytest.mark.parametrize("name", ["no-such-model", "../training", ".", "emoji/unet"])
def test_unknown_bundled_names_list_the_known(name: str) -> None:
    with pytest.raises(InputError) as caught:
        load(f"bundled:{name}")
    assert caught.value.code == "model.unknown"
    assert "bundled:emoji" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["gan", "emoji-skewed"])
def test_a_bundled_model_without_weights_says_so_and_what_trains_it(name: str, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(registry, "_BUNDLED", tmp_path)  # whatever this version ships
    with pytest.raises(ConfigurationError) as caught:
        load(f"bundled:{name}")
    assert caught.value.code == "weights.not-installed"
    assert caught.value.what == f"the weights of bundled:{name} do not ship with this version"
    module, page = re.findall(r"python -m (\S+) trains them, as (\S+) says", caught.value.hint or "")[0]
    assert importlib.util.find_spec(module) is not None
    assert f"python -m {module}" in (ROOT / page).read_text(encoding="utf-8")


def test_hub_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(f"hf:nobody/nothing@{COMMIT}")
    assert caught.value.code == "model.not-local"
    assert "download" in (caught.value.hint or "")


@pytest.fixture
def no_network(monkeypatch):
    """Names lead nowhere, and every request fails for that; what was asked for."""
    import socket

    import huggingface_hub

    asked = []

    def lost(host, *_, **__):
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", lost)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", huggingface_hub.constants.HF_HUB_OFFLINE)
    return asked


def test_without_a_network_a_hub_model_is_one_error_and_no_line_of_the_library(no_network, capfd) -> None:
    with pytest.raises(
        ConfigurationError, match=r"could not be fetched: huggingface\.co is not known"
    ) as caught:
        load(f"hf:nobody/nothing@{COMMIT}", online=True)
    assert caught.value.code == "model.not-local"
    assert no_network == ["huggingface.co"]
    assert capfd.readouterr().err == ""


def test_behind_a_proxy_the_library_asks_and_says_nothing_either(no_network, monkeypatch, capfd) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    with pytest.raises(ConfigurationError, match=r"could not be fetched$"):
        load(f"hf:nobody/nothing@{COMMIT}", online=True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "ftp://127.0.0.1:9"])
def test_a_proxy_the_library_cannot_use_is_named(proxy, no_network, monkeypatch) -> None:
    import huggingface_hub

    monkeypatch.setenv("HTTPS_PROXY", proxy)
    huggingface_hub.close_session()  # it remembers the proxies of its first request
    with pytest.raises(ConfigurationError, match=r"could not be fetched: .*(?i:proxy)") as caught:
        load(f"hf:nobody/nothing@{COMMIT}", online=True)
    assert caught.value.code == "model.not-local"


@pytest.mark.parametrize(
    ("endpoint", "proxy", "why"),
    [
        ("garbage", None, "protocol"),
        ("http://[::1", None, "Invalid IPv6 URL"),
        (f"http://{'a' * 70}.com", None, "label"),
        ("https://huggingface.co", "http://[::1", "Invalid port"),
    ],
)
def test_an_address_that_is_none_is_one_error_with_its_reason(
    endpoint, proxy, why, no_network, monkeypatch
) -> None:
    import socket

    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, _port: host.encode("idna"))
    if proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    huggingface_hub.close_session()  # it remembers the proxies of its first request
    with pytest.raises(ConfigurationError, match=f"could not be fetched: .*{why}") as caught:
        load(f"hf:nobody/nothing@{COMMIT}", online=True)
    assert caught.value.code == "model.not-local"
    assert no_network == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_ENDPOINT", "http://localhost:port"),
        ("HF_HUB_ETAG_TIMEOUT", "abc"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", ""),
    ],
)
def test_settings_that_the_library_cannot_be_imported_with_are_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"^{name} is no ") as caught:
        load("bundled:emoji")
    assert (caught.value.code, caught.value.where) == ("model.not-local", name)


def test_an_address_that_the_library_cannot_be_imported_with_is_named() -> None:
    code = "from generators.registry import load; load('bundled:emoji')"
    env = {**os.environ, "HF_ENDPOINT": "http://[::1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
    said = done.stderr.splitlines()[-1]
    assert said.startswith("provenance.errors.ConfigurationError: ")
    assert "HF_ENDPOINT is no address" in said


def test_a_hub_that_lists_nothing_has_no_model_and_is_asked_again(no_network, monkeypatch, tmp_path) -> None:
    import huggingface_hub

    asked = []

    def listed(_api, **said):
        asked.append(said["repo_id"])
        return iter(())

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_tree", listed)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    with pytest.raises(ConfigurationError, match="could not be fetched: the hub lists no file") as caught:
        load(f"hf:nobody/nothing@{COMMIT}", online=True)
    assert caught.value.code == "model.not-local"
    assert asked == ["nobody/nothing"]
    assert not list(tmp_path.rglob("trees/*"))  # or the next program would read the empty list here
    (tmp_path / "models--nobody--nothing" / "snapshots" / COMMIT).mkdir(parents=True, exist_ok=True)
    with pytest.raises(ConfigurationError, match="is not on this machine") as caught:
        load(f"hf:nobody/nothing@{COMMIT}")
    assert caught.value.code == "model.not-local"
    assert "here is" not in (caught.value.hint or "")


def test_a_folder_that_is_no_model(tmp_path) -> None:
    with pytest.raises(InputError) as caught:
        load(f"dir:{tmp_path}")
    assert caught.value.code == "weights.no-model"


def test_bundled_models_have_a_licence_and_a_summary() -> None:
    listed = {model.ref: model for model in bundled()}
    assert listed["bundled:emoji"].licence == "Apache-2.0"
    assert listed["bundled:emoji"].summary


def test_protocol_registry_and_recipe_load_nothing_heavy() -> None:
    code = (
        "import sys, generators.interface, generators.registry, generators.recipe, generators.request,"
        "generators.weights, generators.vocabulary; generators.registry.bundled();"
        "print(sorted({'torch','diffusers','transformers','numpy','PIL','scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_hub_models_load_from_the_local_cache_through_its_links(tiny_folder, tmp_path, monkeypatch) -> None:
    import huggingface_hub

    repository = tmp_path / "models--org--tiny"
    snapshot, blobs = repository / "snapshots" / COMMIT, repository / "blobs"
    blobs.mkdir(parents=True)
    for number, source in enumerate(sorted(p for p in tiny_folder.rglob("*") if p.is_file())):
        target = snapshot / source.relative_to(tiny_folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        (blobs / str(number)).write_bytes(source.read_bytes())
        target.symlink_to(blobs / str(number))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    generator = load(f"hf:org/tiny@{COMMIT}", threads=1)
    request = GenerationRequest(prompt="a judge", seeds=(1,), num_inference_steps=1)
    (picture,) = generator.generate(request)
    assert picture.recipe.model.ref == f"hf:org/tiny@{COMMIT}"
    assert picture.recipe.model.revision == COMMIT


@pytest.mark.parametrize("said", ["[]", '{"professions": {"judge": 5}}', '{"kind": "stylegan2"}'])
def test_a_diffusers_folder_is_what_its_index_says_whatever_lies_beside_it(
    tiny_folder, tmp_path, said
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    for name in ("card.json", "words.json"):
        (copy / name).write_text(said)
    assert load(f"dir:{copy}", threads=1).info.name == "StableDiffusionPipeline"
