"""Remove from the layer the data that Lockstep never reads, so that functions start faster. The Makefile calls it.

    python lighten.py data FOLDER    remove botocore's descriptions of unused services, and all documentation
    python lighten.py roots FOLDER   remove the certificate authorities that AWS does not use

It works with any botocore, and fails if botocore's files are not laid out as expected.
"""

import gzip
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Final

SERVICES: Final = {"dynamodb": "2012-08-10", "secretsmanager": "2017-10-17"}
"""The services that the functions call, and the version of their description."""
NEEDED: Final = ("service-2", "endpoint-rule-set-1")
"""The files that botocore reads of each service."""
NEEDED_OF_ALL: Final = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")
"""The files that botocore reads for all services."""
ROOTS: Final = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
"""Amazon Trust Services (https://www.amazontrust.com/repository): every AWS certificate chain ends at one of them."""
_CERTIFICATE: Final = re.compile(
    r'# Label: "(?P<label>.*?)"\n.*?(?P<pem>-----BEGIN .*?-----END CERTIFICATE-----\n)', re.DOTALL
)


class NotAsExpectedError(Exception):
    """A file of the installed botocore is missing or not in the expected format."""


def lighten_data(layer: Path) -> None:
    """Keep only the descriptions of SERVICES, uncompressed and without documentation."""
    data = layer / "botocore/data"
    kept = {
        f"{service}/{version}/{name}.json": _read(data / service / version, name)
        for service, version in SERVICES.items()
        for name in NEEDED
    }
    kept |= {name: json.loads((data / name).read_bytes()) for name in NEEDED_OF_ALL}
    for partition in kept["endpoints.json"]["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in SERVICES}
    shutil.rmtree(data)
    for name, description in kept.items():
        _drop_account_endpoints(description)
        file = data / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_undocumented(description), separators=(",", ":")), encoding="utf-8")


def _read(folder: Path, name: str) -> Any:
    for file, unpack in ((folder / f"{name}.json.gz", gzip.decompress), (folder / f"{name}.json", bytes)):
        if file.exists():
            return json.loads(unpack(file.read_bytes()))
    raise NotAsExpectedError(f"{folder} has no {name}: set the version in SERVICES to the one in this botocore")


def _drop_account_endpoints(description: Any) -> None:
    """Stop botocore from searching each request for a table's ARN, which Lockstep never sends."""
    for operation in description.get("operations", {}).values():
        operation.pop("operationContextParams", None)


def _undocumented(node: Any) -> Any:
    """Return the description without documentation, but with members of shapes that are named `documentation`."""
    if isinstance(node, list):
        return [_undocumented(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {name: each for name, each in node.items() if not (name == "documentation" and isinstance(each, str))}
    return {name: _undocumented(each) for name, each in kept.items()}


def lighten_roots(layer: Path) -> None:
    """Keep only the certificates of ROOTS."""
    file = layer / "botocore/cacert.pem"
    found = {match["label"]: match["pem"] for match in _CERTIFICATE.finditer(file.read_text(encoding="utf-8"))}
    if missing := set(ROOTS) - found.keys():
        raise NotAsExpectedError(f"{file} does not have {', '.join(sorted(missing))}: correct ROOTS")
    file.write_text("".join(found[label] for label in ROOTS), encoding="utf-8")


if __name__ == "__main__":
    {"data": lighten_data, "roots": lighten_roots}[sys.argv[1]](Path(sys.argv[2]))
