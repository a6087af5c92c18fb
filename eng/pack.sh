#!/usr/bin/env bash
# Packs everything, and uses it as somebody would who has nothing but the packages: eng/pack.sh FOLDER [PLATFORM...]
# Platforms of the tool: linux-x64 win-x64 osx-arm64, all three where none is named. Takes minutes and some gigabytes of FOLDER.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
(($# >= 1)) || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
platforms=("${@:-linux-x64}")
(($# > 0)) || platforms=(linux-x64 win-x64 osx-arm64)
packages=$out/packages
rm -rf "$packages" "$out/consumer-deploy" "$out/consumer-cpu" "$out/tool" "$out/cache"
mkdir -p "$packages"
# The lock files are those of builds for this platform.
settings=(-c Release -v q -p:ContinuousIntegrationBuild=true -p:IsDefaultBuild=false)

for project in FewStep FewStep.Cpu FewStep.Onnx FewStep.Deploy; do
    dotnet pack "src/$project" "${settings[@]}" -o "$packages"
done
for platform in "${platforms[@]}"; do
    dotnet pack src/FewStep.Cli "${settings[@]}" -r "$platform" -o "$packages"
done
# What `dotnet tool install` asks for: it names the package of each platform, and holds no program.
dotnet restore src/FewStep.Cli "${settings[@]:2}" -p:UseCurrentRuntimeIdentifier=false -p:FewStepAnyRuntime=true
dotnet pack src/FewStep.Cli "${settings[@]}" --no-restore -o "$packages" -p:CreateRidSpecificToolPackages=false -p:IncludeSymbols=false \
    -p:UseCurrentRuntimeIdentifier=false -p:FewStepAnyRuntime=true

version=$(basename "$packages"/FewStep.Deploy.*.nupkg .nupkg)
version=${version#FewStep.Deploy.}
echo "version $version"
(cd "$packages" && ls -l ./*.nupkg | awk '{ printf "%8.1f MB  %s\n", $5 / 1048576, $9 }')

# From here on FewStep's packages come from the folder alone, and nothing of them from an earlier run.
export NUGET_PACKAGES=$out/cache
others=$(dotnet nuget list source --format short | sed -n 's/^E *\(http[^ ]*\)$/\1/p' | head -n 1)
feed() {
    cat >"$1/nuget.config" <<XML
<configuration>
  <packageSources>
    <clear />
    <add key="packed" value="$packages" />
    <add key="others" value="$others" />
  </packageSources>
  <packageSourceMapping>
    <packageSource key="packed"><package pattern="FewStep*" /></packageSource>
    <packageSource key="others"><package pattern="*" /></packageSource>
  </packageSourceMapping>
</configuration>
XML
}
project() { # folder, package, further properties
    mkdir -p "$1"
    feed "$1"
    cat >"$1/$(basename "$1").csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    $3
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="$2" Version="$version" />
  </ItemGroup>
</Project>
XML
}

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) here=linux-x64 ;;
    Darwin-arm64) here=osx-arm64 ;;
    *) here=win-x64 ;;
esac
root=$PWD
if [[ " ${platforms[*]} " == *" $here "* ]]; then
    echo "--- the tool"
    feed "$out"
    (cd "$out" && dotnet tool install FewStep.Cli --version "$version" --tool-path "$out/tool")
    "$out/tool/fewstep" --version
    "$out/tool/fewstep" sample --seeds 0-3 --threads 1 --grid "$out/grid.png"
fi

echo "--- a program with FewStep.Cpu"
project "$out/consumer-cpu" FewStep.Cpu '<UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier>'
cat >"$out/consumer-cpu/Program.cs" <<'CS'
using FewStep;

using var model = Model.Open(args[0]);
model.Sample(4, model.CreateSampler("karras", "euler", 2)).SaveGrid("grid.png");
Console.WriteLine($"{model.Name}: {new FileInfo("grid.png").Length} bytes of PNG");
CS
(cd "$out/consumer-cpu" && dotnet run -c Release -- "$root/models/fashion-mnist")
sed 's|<UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier>||' "$out/consumer-cpu/consumer-cpu.csproj" >"$out/consumer-cpu/any.csproj"
if (cd "$out/consumer-cpu" && dotnet build any.csproj -v q --no-incremental >"$out/any.log" 2>&1); then
    echo "a program of no platform was built, and has no libtorch" >&2
    exit 1
fi
grep -m 1 -o 'libtorch is for one platform.*project' "$out/any.log"

echo "--- a program with FewStep.Deploy"
project "$out/consumer-deploy" FewStep.Deploy '<InvariantGlobalization>true</InvariantGlobalization>'
cat >"$out/consumer-deploy/Program.cs" <<'CS'
using FewStep.Deploy;

using var sampler = FewStepSampler.Open(args[0]);
var images = await sampler.GenerateAsync([.. Enumerable.Range(0, 64).Select(i => (long)i)]);
for (int i = 0; i < images.Count; i++)
    File.WriteAllBytes(Path.Combine(args[1], $"{i:D6}.png"), images.GetPng(i));
Console.WriteLine($"{sampler.Description.Model}: {images.Count} images of {sampler.Description.Evaluations} evaluations");
CS
(cd "$out/consumer-deploy" && dotnet publish -c Release -v q -r "$here" --no-self-contained -o "$out/consumer-deploy/published")
du -sm "$out/consumer-deploy/published" | awk '{ print $1 " MB published" }'
[[ -x "$out/tool/fewstep" ]] || exit 0
"$out/tool/fewstep" export --model "$root/models/fashion-mnist" --to onnx --sampler karras/ipndm:3/4 --output "$out/sampler.onnx"
mkdir -p "$out/images"
"$out/consumer-deploy/published/consumer-deploy" "$out/sampler.onnx" "$out/images"
