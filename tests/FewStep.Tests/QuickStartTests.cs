using System.Diagnostics;
using FewStep.Tests.Data;

namespace FewStep.Tests;

/// <summary>The program of the README, run as its readers run it.</summary>
public sealed class QuickStartTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "QuickStart.dll");

    [Fact]
    public async Task The_program_of_the_readme_runs()
    {
        var (code, output, errors) = await Run();
        Assert.True(code == 0, errors);
        string[] lines = output.Trim().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Contains("karras/euler/4: FD", lines[0], StringComparison.Ordinal);
        Assert.All(lines[1..], line => Assert.Matches("phase1/fitted-[0-9a-f]{8}/4: FD", line));
        string grid = Path.Combine(AppContext.BaseDirectory, "grid.png");
        using (var image = PngFiles.Read(grid))
        {
            Assert.Equal([1, 1, 115, 115], image.shape); // 4 x 4 of 28 pixels
        }

        File.Delete(grid);
    }

    [Fact]
    public async Task Without_libtorch_one_line_says_what_to_reference()
    {
        var (code, output, errors) = await Run((TorchFolder.Variable, Path.Combine(Path.GetTempPath(), "no-libtorch-here")));
        Assert.NotEqual(0, code);
        Assert.Equal("", output);
        Assert.Contains($"Unhandled exception. {typeof(InvalidInputException)}: ", errors, StringComparison.Ordinal);
        Assert.Contains(TorchFolder.Variable, errors, StringComparison.Ordinal);
        Assert.DoesNotContain(nameof(TypeInitializationException), errors, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_the_program_of_the_readme_and_names_nothing_but_FewStep()
    {
        string program = File.ReadAllText(Repository.At("samples", "QuickStart", "Program.cs")).ReplaceLineEndings("\n").TrimEnd();
        string indented = string.Join('\n', program.Split('\n').Select(line => line.Length == 0 ? "" : "    " + line));
        Assert.Contains(indented, File.ReadAllText(Repository.At("README.md")).ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Equal(["using FewStep;"], program.Split('\n').Where(line => line.StartsWith("using ", StringComparison.Ordinal)
            && line.EndsWith(';') && !line.Contains('=', StringComparison.Ordinal)));
    }

    private static async Task<(int Code, string Output, string Errors)> Run(params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet")
        { WorkingDirectory = AppContext.BaseDirectory, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Program);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
