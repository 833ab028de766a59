"""Run by SAM's own interpreter: a template (YAML, standard input) as CloudFormation gets it (JSON, standard output).

Its arguments are parameters: Name=value. The translator is the one that the SAM command line has, which our own
environment cannot hold: their packages do not agree.
"""

import json
import sys

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import yaml_parse

_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}

if __name__ == "__main__":
    source = yaml_parse(sys.stdin.read())
    for resource in source["Resources"].values():
        where = _CODE.get(resource["Type"])
        if where:  # packaged, as it is when it gets there; each keeps its path, so that it can be told whose code it is
            resource["Properties"][where] = f"s3://packaged/{resource['Properties'][where].rstrip('/')}"
    parameters = dict(argument.split("=", 1) for argument in sys.argv[1:])
    region = boto3.Session(region_name="us-east-1")  # it wants one; nothing that is asserted depends on which
    translated = Translator({}, Parser(), boto_session=region).translate(source, parameter_values=parameters)
    json.dump({"source": source, "translated": undo_mark_unicode_str_in_template(translated)}, sys.stdout)
