using System.Diagnostics;
using FewStep.Tests.Cli;
using FewStep.Tests.Data;

namespace FewStep.Tests.Deploy;

/// <summary>The commands and the program of docs/tutorial.md, on a small model.</summary>
public sealed class TutorialTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private static readonly string Tutorial = Repository.At("docs", "tutorial.md");

    [Fact]
    public async Task Its_commands_end_in_a_program_that_makes_the_images_of_the_command_line()
    {
        string[] commands = [.. File.ReadLines(Tutorial).Where(l => l.StartsWith("    fewstep ", StringComparison.Ordinal))
            .Select(l => l["    fewstep ".Length..])];
        Assert.Equal(["convert", "fit", "sample", "sample", "export"], commands.Select(c => c.Split(' ')[0]));
        foreach (string command in commands)
            await Run(command);
        await Run("sample --model my-model --sampler my-fits/n4.sampler.json --seeds 0-3 --out expected");

        string folder = Path.GetDirectoryName(world.Model)!;
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Generate.dll")])
        { WorkingDirectory = folder, RedirectStandardOutput = true };
        using var program = Process.Start(start)!;
        Assert.StartsWith("4 images of", await program.StandardOutput.ReadToEndAsync(CancellationToken.None), StringComparison.Ordinal);
        for (int i = 0; i < 4; i++)
        {
            using var scope = NewDisposeScope();
            var made = PngFiles.Read(world.At($"{i}.png"));
            var expected = PngFiles.Read(world.At("expected", $"00000{i}.png"));
            Assert.InRange(((made - expected) * 127.5).abs().max().item<float>(), 0, 1.01);
        }
    }

    [Fact]
    public void Its_program_is_the_sample()
    {
        string program = File.ReadAllText(Repository.At("samples", "Generate", "Program.cs"))
            .ReplaceLineEndings("\n").TrimEnd();
        string indented = string.Join('\n', program.Split('\n').Select(line => line.Length == 0 ? "" : "    " + line));
        Assert.Contains(indented, File.ReadAllText(Tutorial).ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    private async Task Run(string command)
    {
        string[] words = [.. command.Split(' ').Select(Place)];
        string[] quick = words[0] switch
        {
            "fit" => ["--latents", "16", "--held-out", "8", "--teacher-steps", "8", "--curve-images", "8", "--curve-points", "8", "--dtype",
                "float32"],
            "sample" => ["--dtype", "float32"],
            _ => [],
        };
        var run = await CommandLineRun.Of([.. words, .. quick]);
        Assert.True(run.Code == 0, $"{command}: {run.Messages}");
    }

    // What a reader has, and where he works.
    private string Place(string word) => word switch
    {
        "my-checkpoint" => world.Model,
        "my-images" => world.Data,
        _ when word.StartsWith("my-", StringComparison.Ordinal) || word is "expected" || word.EndsWith(".png", StringComparison.Ordinal)
            || word.EndsWith(".onnx", StringComparison.Ordinal) => world.At(word.Split('/')),
        _ => word,
    };
}
