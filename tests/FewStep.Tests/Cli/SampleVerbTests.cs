using System.Text.Json;
using FewStep.Tests.Data;

namespace FewStep.Tests.Cli;

public sealed class SampleVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Theory]
    [InlineData("float32", 1)]
    [InlineData("bfloat16", 6)]
    public async Task An_image_does_not_depend_on_the_batch(string dtype, int levels)
    {
        var folders = new List<string>();
        foreach (string batch in new[] { "1", "3", "64" })
        {
            folders.Add(New());
            var run = await CommandLineRun.Of("sample", "--model", world.Model, "--steps", "3", "--seeds", "0-6,40", "--batch", batch,
                "--dtype", dtype, "--out", folders[^1]);
            Assert.True(run.Code == 0, run.Messages);
        }

        string[] names = [.. Directory.GetFiles(folders[0], "*.png").Select(Path.GetFileName).Order()!];
        Assert.Equal(
            ["000000.png", "000001.png", "000002.png", "000003.png", "000004.png", "000005.png", "000006.png", "000040.png"], names);
        foreach (string name in names)
        {
            byte[] expected = Pixels(folders[0], name);
            // The latents are the same; the network's sums are taken in another order, with 8 bits of mantissa in bfloat16.
            Assert.All(folders, folder => Assert.InRange(Difference(Pixels(folder, name), expected), 0, levels));
        }

        // Seeds 0 and 4 have one class and differ by their latents.
        Assert.True(Difference(Pixels(folders[0], names[0]), Pixels(folders[0], names[4])) > 10 * levels);
    }

    [Theory]
    [InlineData(3, "--steps", "3")]
    [InlineData(6, "--steps", "3", "--solver", "heun")]
    [InlineData(4, "--steps", "3", "--denoise-to-zero")]
    [InlineData(2, "--steps", "3", "--analytical-first-step", "--schedule", "cosine")]
    public async Task Evaluations_are_counted_and_the_manifest_is_what_is_printed(int evaluations, params string[] arguments)
    {
        string folder = New();
        var printed = await CommandLineRun.Json(["sample", "--model", world.Model, "--seeds", "0-4", "--out", folder, .. arguments]);
        Assert.Equal(evaluations, printed.GetProperty("evaluations_per_image").GetDouble());
        Assert.Equal(5 * evaluations, printed.GetProperty("network_evaluations").GetInt64());
        Assert.Equal("0-4", printed.GetProperty("seeds").GetString());
        Assert.Equal("seed mod 4", printed.GetProperty("labels").GetString());
        Assert.Equal(64, printed.GetProperty("model").GetProperty("hash").GetString()!.Length);
        Assert.Equal("3", printed.GetProperty("run").GetProperty("options").GetProperty("--steps").GetString());
        using var manifest = JsonDocument.Parse(
            await File.ReadAllBytesAsync(Path.Combine(folder, "manifest.json"), TestContext.Current.CancellationToken));
        Assert.True(JsonElement.DeepEquals(manifest.RootElement, printed));
    }

    [Fact]
    public async Task Labels_are_indices_names_or_the_seed_mod_classes()
    {
        string index = New(), name = New(), usual = New(), none = New();
        await Sample("--seeds", "5", "--label", "1", "--out", index);
        await Sample("--seeds", "5", "--label", "rows", "--out", name);
        await Sample("--seeds", "5", "--out", usual);
        await Sample("--seeds", "5", "--label", "-1", "--out", none);
        Assert.Equal(Pixels(index, "000005.png"), Pixels(name, "000005.png"));
        Assert.Equal(Pixels(index, "000005.png"), Pixels(usual, "000005.png"));
        Assert.NotEqual(Pixels(index, "000005.png"), Pixels(none, "000005.png"));
    }

    [Fact]
    public async Task A_schedule_file_brings_its_steps_and_its_solver()
    {
        string file = world.At("own.schedule.json");
        await File.WriteAllTextAsync(
            file, """{"version":1,"steps":2,"sigmas":[80,3,0.002],"solver":"heun"}""", TestContext.Current.CancellationToken);
        var printed = await CommandLineRun.Json("sample", "--model", world.Model, "--seeds", "0", "--schedule", file, "--out", New());
        Assert.Equal(("own", "heun", 4), (printed.GetProperty("schedule").GetString(), printed.GetProperty("solver").GetString(),
            printed.GetProperty("evaluations_per_image").GetInt32()));
        printed = await CommandLineRun.Json("sample", "--model", world.Model, "--seeds", "0", "--schedule",
            world.Write("list.json", "[80, 3, 0.002]"), "--steps", "2", "--out", New());
        Assert.Equal(("list", "euler", 2), (printed.GetProperty("schedule").GetString(), printed.GetProperty("solver").GetString(),
            printed.GetProperty("steps").GetInt32()));
    }

    [Fact]
    public async Task A_grid_holds_all_images()
    {
        string grid = Path.Combine(New(), "grid.png");
        await Sample("--seeds", "0-4", "--grid", grid, "--columns", "3", "--batch", "2", "--scale", "1");
        using var image = PngFiles.Read(grid);
        Assert.Equal([1, 1, 17, 26], image.shape);
        await Sample("--seeds", "0-4", "--grid", grid, "--columns", "3"); // small images are enlarged, here eightfold
        using var enlarged = PngFiles.Read(grid);
        Assert.Equal([1, 1, 129, 194], enlarged.shape);
        Assert.Equal(["grid.png"], Directory.GetFiles(Path.GetDirectoryName(grid)!).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Pickles_of_edm_are_models_too()
    {
        string pickle = Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", "edm-ncsnpp-cond.pkl");
        var printed = await CommandLineRun.Json("sample", "--model", pickle, "--steps", "2", "--seeds", "1", "--out", New());
        Assert.Equal("edm-ncsnpp-cond", printed.GetProperty("model").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Images_never_mix_with_others()
    {
        string folder = New(), grid = Path.Combine(folder, "grid.png");
        await Sample("--seeds", "0-3", "--out", folder, "--grid", grid);
        byte[] before = Pixels(folder, "000002.png");
        await Sample("--seeds", "0-3", "--out", folder, "--grid", grid); // the same again
        await CommandLineRun.Refused("holds 2 other images, 000000.png for one", "sample", "--model", world.Model, "--steps", "2",
            "--seeds", "2-7", "--out", folder, "--grid", grid);
        Assert.Equal(before, Pixels(folder, "000002.png"));
        await CommandLineRun.Refused("did not make with these options", "sample", "--model", world.Model, "--steps", "3", "--seeds", "0-3",
            "--out", folder, "--grid", grid);
        Assert.Equal(before, Pixels(folder, "000002.png"));
        await CommandLineRun.Refused("holds 1 other image, grid.png", "sample", "--model", world.Model, "--steps", "2", "--seeds", "0-3",
            "--out", folder);
        Directory.CreateDirectory(Path.Combine(folder, "more"));
        File.Move(grid, Path.Combine(folder, "more", "x.png"));
        await CommandLineRun.Refused("more/x.png", "sample", "--model", world.Model, "--steps", "2", "--seeds", "0-3", "--out", folder);
        Assert.True(File.Exists(Path.Combine(folder, "manifest.json")));
    }

    [Fact]
    public async Task What_was_interrupted_goes_on_and_what_something_else_left_stays()
    {
        string folder = New(), manifest = Path.Combine(folder, "manifest.json"), begun = Path.Combine(folder, "sampling.json");
        await Sample("--seeds", "0-3", "--out", folder);
        byte[] whole = Pixels(folder, "000003.png");
        string? identity = JsonDocument.Parse(await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken)).RootElement
            .GetProperty("identity").GetString();
        File.Delete(manifest);
        File.Delete(Path.Combine(folder, "000003.png"));
        string[] again = ["sample", "--model", world.Model, "--steps", "2", "--seeds", "0-3", "--out", folder];
        await CommandLineRun.Refused("holds images that", again); // nobody says whose they are
        await File.WriteAllTextAsync(begun, $$"""{"identity":"{{identity}}"}""", TestContext.Current.CancellationToken);
        await CommandLineRun.Refused("holds images that", [.. again, "--solver", "heun"]);
        await CommandLineRun.Json(again);
        Assert.Equal(whole, Pixels(folder, "000003.png"));
        Assert.Equal((true, false), (File.Exists(manifest), File.Exists(begun)));

        string other = New();
        Directory.CreateDirectory(other);
        await File.WriteAllTextAsync(Path.Combine(other, "manifest.json"), "{}", TestContext.Current.CancellationToken);
        await CommandLineRun.Refused("holds manifest.json that", [.. again[..^1], other]);
    }

    private async Task Sample(params string[] arguments)
    {
        var run = await CommandLineRun.Of(["sample", "--model", world.Model, "--steps", "2", .. arguments]);
        Assert.True(run.Code == 0, run.Messages);
    }

    private static int Difference(byte[] one, byte[] other) => one.Zip(other).Max(p => Math.Abs(p.First - p.Second));

    private string New() => world.At(Guid.NewGuid().ToString("N"));

    private static byte[] Pixels(string folder, string name)
    {
        using var image = PngFiles.Read(Path.Combine(folder, name));
        using var bytes = ((image + 1) * 127.5).round().to_type(TorchSharp.torch.ScalarType.Byte);
        return [.. bytes.bytes];
    }
}
