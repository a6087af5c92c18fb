#!/usr/bin/env bash
# Makes a site of the documentation and the API reference: eng/docs.sh FOLDER, then look at FOLDER/site/index.html through a web server
# (dotnet docfx serve FOLDER/site).
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
(($# == 1)) || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
root=$PWD
mkdir -p "$1"
out=$(cd "$1" && pwd)
rm -rf "$out/site" "$out/api" "$out/docs"
cp -r docs README.md CHANGELOG.md CONTRIBUTING.md "$out"
dotnet tool restore
for project in FewStep.Onnx FewStep.Deploy; do
    dotnet build "src/$project" -c Release -v q
done
cat >"$out/toc.yml" <<'YML'
- name: FewStep
  href: README.md
- name: Tutorial
  href: docs/tutorial.md
- name: Documentation
  href: docs/toc.yml
- name: API
  href: api/
- name: Changes
  href: CHANGELOG.md
- name: Contributing
  href: CONTRIBUTING.md
YML
for page in docs/*.md docs/recipes/*.md docs/results/*.md; do
    printf -- '- name: "%s"\n  href: %s\n' "$(sed -n 's/^# //p;/^# /q' "$page" | head -n 1 | tr -d '"')" "${page#docs/}"
done >"$out/docs/toc.yml"
cat >"$out/docfx.json" <<JSON
{
  "metadata": [
    {
      "src": [
        {
          "src": "$root/src",
          "files": [
            "FewStep/bin/Release/net10.0/FewStep.dll",
            "FewStep.Onnx/bin/Release/net10.0/FewStep.Onnx.dll",
            "FewStep.Deploy/bin/Release/net10.0/FewStep.Deploy.dll"
          ]
        }
      ],
      "output": "api"
    }
  ],
  "build": {
    "content": [
      { "files": ["toc.yml", "docs/toc.yml", "api/**.yml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**.md"] }
    ],
    "resource": [
      { "files": ["docs/**.png", "docs/**.csv", "docs/**.json", "docs/**.sh"] },
      { "src": "$root", "files": ["samples/*/*.cs"] }
    ],
    "template": ["default", "modern"],
    "output": "site",
    "globalMetadata": { "_appTitle": "FewStep", "_appName": "FewStep", "_enableSearch": true, "_disableContribution": true }
  }
}
JSON
dotnet docfx "$out/docfx.json" --logLevel error
cat >"$out/site/index.html" <<'HTML'
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>FewStep</title><meta http-equiv="refresh" content="0; url=README.html"></head>
<body><a href="README.html">FewStep</a></body></html>
HTML
echo "$(find "$out/site" -name '*.html' | wc -l) pages in $out/site"
