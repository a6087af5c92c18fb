using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;
using FewStep.Deploy;

namespace FewStep.Tests.Deploy;

/// <summary>The deploy package as it is packed, and a program that has nothing else of FewStep. <c>eng/pack.sh</c> does the same for all
/// packages, which takes minutes.</summary>
public sealed class PackageTests : FolderTests
{
    [Fact]
    public async Task A_program_with_the_deploy_package_alone_makes_the_same_images()
    {
        string root = Repository.At(), packages = Path.Combine(_folder.Root, "packages");
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Name;
        await Run(root, "pack", "src/FewStep.Deploy", "-c", configuration, "--no-build", "-o", packages);
        string package = Assert.Single(Directory.GetFiles(packages, "*.nupkg"));
        Assert.Single(Directory.GetFiles(packages, "*.snupkg"));
        Check(package);

        string version = Path.GetFileNameWithoutExtension(package)["FewStep.Deploy.".Length..];
        File.WriteAllText(_folder.File("program/nuget.config"), $"""
            <configuration><packageSources><clear /><add key="packed" value="{packages}" /></packageSources></configuration>
            """);
        File.WriteAllText(_folder.File("program/program.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <UseAppHost>false</UseAppHost>
                <RestoreFallbackFolders>{GlobalPackages}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="FewStep.Deploy" Version="{version}" /></ItemGroup>
            </Project>
            """);
        File.WriteAllText(_folder.File("program/Program.cs"), """
            using var sampler = FewStep.Deploy.FewStepSampler.Open(args[0]);
            var images = await sampler.GenerateAsync([5, 4294967295]);
            for (int i = 0; i < images.Count; i++)
                File.WriteAllBytes($"{i}.png", images.GetPng(i));
            """);
        string graph = SamplerOnnx.Conditional().Write(_folder.File("sampler.onnx")), program = Path.Combine(_folder.Root, "program");
        await Run(program, "build", "-c", "Release", "-o", "out");
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(program, "out")), f => f.Contains("orch", StringComparison.Ordinal));
        await Run(program, "out/program.dll", graph);
        using var sampler = FewStepSampler.Open(graph);
        var expected = await sampler.GenerateAsync([5, 4294967295], cancellation: CancellationToken.None);
        for (int i = 0; i < expected.Count; i++)
            Assert.Equal(expected.GetPng(i), File.ReadAllBytes(Path.Combine(program, $"{i}.png")));
    }

    private static string GlobalPackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder ? folder
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static void Check(string package)
    {
        using var zip = ZipFile.OpenRead(package);
        string[] files = [.. zip.Entries.Select(e => e.FullName)];
        Assert.All(["README.md", "icon.png", "THIRD-PARTY-NOTICES.txt", "lib/net10.0/FewStep.Deploy.dll", "lib/net10.0/FewStep.Deploy.xml"],
            file => Assert.Contains(file, files));
        Assert.DoesNotContain(files, f => Path.GetExtension(f) is ".pdb" or ".so" or ".onnx");
        using var text = zip.GetEntry("FewStep.Deploy.nuspec")!.Open();
        var specification = XDocument.Load(text).Root!;
        string Value(string name) => specification.Descendants().Single(e => e.Name.LocalName == name).Value;
        Assert.Equal(("MIT", "icon.png", "README.md"), (Value("license"), Value("icon"), Value("readme")));
        Assert.Equal(
        [
            "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Logging.Abstractions",
            "Microsoft.Extensions.Options", "Microsoft.ML.OnnxRuntime",
        ], specification.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value).Order());
    }

    private async Task Run(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["NUGET_PACKAGES"] = _folder.File("cache"); // what an earlier run unpacked must not be taken for this one's
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        if (arguments[0] == "pack")
            start.Environment.Remove("NUGET_PACKAGES");
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {await output}{await errors}");
    }
}
