"""Print what SAM makes of template.yaml, as JSON. Runs in SAM's environment, which has its library.

.venv-sam/bin/python tests/infrastructure/transform_template.py template.yaml
"""

import json
import os
import sys

from cfnlint.decode import cfn_yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
template = json.loads(json.dumps(cfn_yaml.load(sys.argv[1])))
# `sam package` puts the built code's place here.
template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
sys.stdout.write(json.dumps(Translator({}, Parser()).translate(template, {})))
