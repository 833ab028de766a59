"""Run by SAM's own interpreter: a template (YAML, standard input) as CloudFormation gets it (JSON, standard output).

Each argument is a JSON object with parameter values; the output is a list with a transformed template for each. The
translator is the one of the SAM command line, whose packages do not agree with those of our own environment.
"""

import json
import sys
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import yaml_parse

_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def _translate(text: str, parameters: dict[str, str]) -> Any:
    source = yaml_parse(text)
    for resource in source["Resources"].values():
        where = _CODE.get(resource["Type"])
        if where:  # as `sam package` leaves it; each keeps its path, which tells whose code it is
            resource["Properties"][where] = f"s3://packaged/{resource['Properties'][where].rstrip('/')}"
    region = boto3.Session(region_name="us-east-1")  # required; nothing that is asserted depends on it
    translated = Translator({}, Parser(), boto_session=region).translate(source, parameter_values=parameters)
    return undo_mark_unicode_str_in_template(translated)


if __name__ == "__main__":
    template = sys.stdin.read()
    json.dump([_translate(template, json.loads(argument)) for argument in sys.argv[1:]], sys.stdout)
