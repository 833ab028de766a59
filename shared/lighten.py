"""Takes out of the layer what Lockstep never reads, so that a function starts sooner. Called by the Makefile.

    python lighten.py data FOLDER    botocore's descriptions of the services that are not asked, and all documentation
    python lighten.py roots FOLDER   the certificate authorities that do not vouch for AWS

It works on whatever botocore is pinned, and fails where that is not laid out as expected.
"""

import gzip
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Final

SERVICES: Final = {"dynamodb": "2012-08-10", "secretsmanager": "2017-10-17"}
"""That the functions ask, and the version of their description."""
NEEDED: Final = ("service-2", "endpoint-rule-set-1")
NEEDED_OF_ALL: Final = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")
ROOTS: Final = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
"""Amazon Trust Services (https://www.amazontrust.com/repository): all that AWS shows ends at one of them."""
_CERTIFICATE: Final = re.compile(
    r'# Label: "(?P<label>.*?)"\n.*?(?P<pem>-----BEGIN .*?-----END CERTIFICATE-----\n)', re.DOTALL
)


class NotAsExpectedError(Exception):
    """What is to be lightened is laid out in another way than this program knows."""


def lighten_data(layer: Path) -> None:
    """Leave the descriptions of SERVICES, without their documentation and not packed."""
    data = layer / "botocore/data"
    kept = {
        f"{service}/{version}/{name}.json": _read(data / service / version, name)
        for service, version in SERVICES.items()
        for name in NEEDED
    }
    kept |= {name: json.loads((data / name).read_bytes()) for name in NEEDED_OF_ALL}
    for partition in kept["endpoints.json"]["partitions"]:
        partition["services"] = {name: said for name, said in partition["services"].items() if name in SERVICES}
    shutil.rmtree(data)
    for name, said in kept.items():
        _locate_by_region(said)
        file = data / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_undocumented(said), separators=(",", ":")))


def _read(folder: Path, name: str) -> Any:
    for file, unpack in ((folder / f"{name}.json.gz", gzip.decompress), (folder / f"{name}.json", bytes)):
        if file.exists():
            return json.loads(unpack(file.read_bytes()))
    raise NotAsExpectedError(f"{folder} has no {name}: this botocore describes the service in another version")


def _locate_by_region(said: Any) -> None:
    """Do not search each request for a table's ARN, whose account may have its own endpoint: ours are names."""
    for operation in said.get("operations", {}).values():
        operation.pop("operationContextParams", None)


def _undocumented(said: Any) -> Any:
    """Without documentation: a text; a shape's or a parameter's own member of that name is none."""
    if isinstance(said, list):
        return [_undocumented(each) for each in said]
    if not isinstance(said, dict):
        return said
    kept = {name: each for name, each in said.items() if not (name == "documentation" and isinstance(each, str))}
    return {name: _undocumented(each) for name, each in kept.items()}


def lighten_roots(layer: Path) -> None:
    """Leave ROOTS."""
    file = layer / "botocore/cacert.pem"
    found = {match["label"]: match["pem"] for match in _CERTIFICATE.finditer(file.read_text())}
    if missing := set(ROOTS) - found.keys():
        raise NotAsExpectedError(f"{file} does not have {', '.join(sorted(missing))}")
    file.write_text("".join(found[label] for label in ROOTS))


if __name__ == "__main__":
    {"data": lighten_data, "roots": lighten_roots}[sys.argv[1]](Path(sys.argv[2]))
