#!/usr/bin/env bash
# Makes a clone ready to run: installs the packages of package-lock.json and builds dist/, each only if it is missing or older than
# its sources. Prints nothing if there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 3) || (major === 20 && minor >= 19)) process.exit(0);
  console.error(`lock-doctor needs Node 20.19 or newer, but not 21 or 22.0 to 22.2; this is ${process.version}`);
  process.exit(1);
'

# npm writes this file last; if it is missing, an installation was interrupted.
installed=node_modules/.package-lock.json
if [[ ! -f $installed || package-lock.json -nt $installed ]]; then
  echo "Installing dependencies (npm ci) ..." >&2
  # `npm install --global .` runs this with settings that are not meant for here.
  env -u npm_config_global -u npm_config_prefix -u npm_config_local_prefix \
    npm ci --include=dev --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  touch "$installed"
fi

built=dist/bin/doctor.js
if [[ ! -f $built || -n $(find src checks schema scripts/build scripts/small-town.mjs scripts/make-validators.mjs package.json tsconfig.json tsconfig.build.json -newer "$built" -print -quit) ]]; then
  echo "Building dist/ ..." >&2
  node scripts/build/index.mjs >&2
fi
