#!/bin/sh
# Every shell script of the project through shellcheck; the templated ones are checked as rendered, in tests/templates.
set -eu
cd "$(dirname "$0")/.."
git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run | xargs -0 shellcheck
