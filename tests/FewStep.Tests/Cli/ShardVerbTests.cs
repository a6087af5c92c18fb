using System.Text.Json.Nodes;
using FewStep.Checkpoints;
using FewStep.Experiments;

namespace FewStep.Tests.Cli;

/// <summary>Seven shards that are joined leave what the undivided command leaves.</summary>
public sealed class ShardVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private const int Shards = 7;

    [Fact]
    public async Task Images_have_the_same_bytes()
    {
        string whole = world.At("whole"), joined = world.At("joined");
        string[] line = ["sample", "--model", world.Model, "--steps", "2", "--seeds", "3,0-1,40-69", "--batch", "2", "--threads", "1"];
        await Good([.. line, "--out", whole]);
        foreach (int i in new[] { 7, 2, 1, 4, 3, 6 })
            await Good([.. line, "--out", joined, "--shard", $"{i}/{Shards}"]);

        // What there is is taken at once.
        await CommandLineRun.Refused("missing 5/7 (not begun)", "merge", joined);
        Assert.True(File.Exists(Path.Combine(joined, "000003.png")));
        Assert.False(File.Exists(Path.Combine(joined, "manifest.json")));
        await Good([.. line, "--out", joined, "--shard", "1/7"]); // lost nothing, does nothing
        await CommandLineRun.Refused("did not make with these options", [.. line, "--label", "1", "--out", joined, "--shard", "1/7"]);
        await Good([.. line, "--out", joined, "--shard", "1/2"]);
        await CommandLineRun.Refused("overlap", "merge", joined);
        Directory.Delete(Path.Combine(joined, "parts", "1-of-2"), recursive: true);
        await Good([.. line, "--out", joined, "--shard", "5/7"]);
        var printed = await CommandLineRun.Json("merge", joined);
        Assert.Equal(33, printed.GetProperty("images").GetInt32());
        AssertSame(whole, joined);
        await CommandLineRun.Refused("holds no parts", "merge", joined);
    }

    [Theory]
    [InlineData("--grid is not for work in shares", "--shard", "1/2", "--out", "@", "--grid", "@/grid.png")]
    [InlineData("name it with --out", "--shard", "1/2", "--grid", "@/grid.png")]
    [InlineData("no shard 3/2", "--shard", "3/2", "--out", "@")]
    [InlineData("leave --shard out", "--shard", "1/2", "--local", "2", "--out", "@")]
    [InlineData("must be 1 to", "--local", "0", "--out", "@")]
    public async Task What_cannot_be_divided_is_refused(string fragment, params string[] options)
    {
        string folder = world.At("refused");
        await CommandLineRun.Refused(
            fragment, ["sample", "--model", world.Model, .. options.Select(o => o.Replace("@", folder, StringComparison.Ordinal))]);
    }

    // Few cells, whose seeds are shared out; many cells; and seeds of all cells alike, for a teacher's sake.
    [Theory]
    [InlineData("few", 7, "evaluate", "--features", "classifier", "--schedules", "karras", "--steps", "2")]
    [InlineData("many", 3, "evaluate", "--features", "classifier", "--schedules", "karras,cosine", "--steps", "1,2,3")]
    [InlineData("teacher", 3, "compare", "--schedules", "karras,phase1", "--solvers", "euler,ipndm:2", "--nfe", "2", "--teacher",
        "heun:karras:4")]
    public async Task Figures_are_the_same(string name, int shards, string verb, params string[] options)
    {
        string whole = world.At($"{name}-whole"), joined = world.At($"{name}-joined");
        string[] line = [verb, "--model", world.Model, "--classifier", world.Classifier, "--data", world.Data, "--samples", "31",
            "--ranges", "2", "--batch", "3", "--dtype", "float32", "--threads", "1", "--curve-points", "12", "--curve-images", "10",
            "--strip-seeds", "0-2", "--kid-subset-size", "20", "--metrics", name == "teacher" ? "fd,endpoint" : "fd,kid,prdc,is",
            .. options];
        await Good([.. line, "--out", whole]);
        if (name == "teacher")
        {
            await CommandLineRun.Refused("--shard prepare", [.. line, "--out", joined, "--shard", "1/3"]);
            await Good([.. line, "--out", joined, "--shard", "prepare"]);
        }

        foreach (int i in Enumerable.Range(1, shards).Reverse())
        {
            if (i == 1)
                await CommandLineRun.Refused($"missing 1/{shards}", "merge", joined);
            await Good([.. line, "--out", joined, "--shard", $"{i}/{shards}"]);
        }

        await Good("merge", joined);
        var (one, many) = (Read(whole), Read(joined));
        foreach (var (expected, found) in one.Trials.Zip(many.Trials))
        {
            Assert.Equal((expected.Name, expected.EvaluationsPerImage), (found.Name, found.EvaluationsPerImage));
            foreach (var (key, figure) in expected.Figures)
            {
                Assert.Equal(figure.Ranges.Select(r => r.FirstSeed), found.Figures[key].Ranges.Select(r => r.FirstSeed));
                Assert.All(figure.Ranges.Zip(found.Figures[key].Ranges), r => Assert.Equal(r.First.Value, r.Second.Value,
                    1e-9 * Math.Max(1, Math.Abs(r.First.Value))));
            }
        }

        Assert.Equal(one.Figures.Select(f => f.Floor), many.Figures.Select(f => f.Floor));
        Assert.Equal(one.Ledger.Where(l => l.Stage.Contains("teacher", StringComparison.Ordinal)).Select(l => l.NetworkEvaluations),
            many.Ledger.Where(l => l.Stage.Contains("teacher", StringComparison.Ordinal)).Select(l => l.NetworkEvaluations));
        AssertSame(whole, joined, ".png");
        foreach (string file in Names(whole).Where(n => n.EndsWith(".safetensors", StringComparison.Ordinal)))
            Assert.Equal(Values(Path.Combine(whole, file)), Values(Path.Combine(joined, file)));
        Assert.Equal(Names(whole), Names(joined));
    }

    [Fact]
    public async Task Loss_curves_are_the_same()
    {
        string whole = world.At("curve-whole"), joined = world.At("curve-joined"), early = world.At("curve-early");
        string[] line = ["schedule", "--model", world.Model, "--data", world.Data, "--dtype", "float32", "--threads", "1", "--steps", "2,3",
            "--curve-points", "8", "--curve-images", "60", "--curve-batch", "8", "--regret", "1e-6"];
        await Good([.. line, "--out", whole]);
        foreach (int i in Enumerable.Range(1, 3))
            await Good([.. line, "--out", joined, "--shard", $"{i}/3"]);
        await Good("merge", joined);
        Assert.Equal(Names(whole), Names(joined));
        AssertClose(Path.Combine(whole, "loss-curve.json"), Path.Combine(joined, "loss-curve.json"), 1e-9);
        AssertClose(Path.Combine(whole, "phase1-power-0-n3.sampler.json"), Path.Combine(joined, "phase1-power-0-n3.sampler.json"), 1e-9);

        await Good([.. line, "--out", early, "--shard", "1/2"]);
        await CommandLineRun.Refused("missing 2/2 (not begun)", "merge", early);
        await CommandLineRun.Refused("takes none", [.. line, "--optimizer", "gits", "--out", early, "--shard", "2/2"]);
    }

    [Fact]
    public async Task Fits_are_the_same()
    {
        string whole = world.At("fit-whole"), joined = world.At("fit-joined");
        string[] line = ["fit", "--model", world.Model, "--dtype", "float32", "--threads", "1", "--steps", "2,3", "--latents", "20",
            "--held-out", "8", "--batch", "4", "--teacher-steps", "8"];
        await CommandLineRun.Refused("search first", [.. line, "--out", joined, "--shard", "1/2"]);
        line = [.. line, "--schedule", "karras"];
        await Good([.. line, "--out", whole]);
        foreach (int i in Enumerable.Range(1, 3))
            await Good([.. line, "--out", joined, "--shard", $"{i}/3"]);
        await Good("merge", joined);
        Assert.Equal(Names(whole), Names(joined));
        foreach (int n in new[] { 2, 3 })
            AssertClose(Path.Combine(whole, $"n{n}.sampler.json"), Path.Combine(joined, $"n{n}.sampler.json"), 1e-6);
    }

    [Fact]
    public async Task Processes_on_one_machine_leave_the_same()
    {
        string whole = world.At("local-whole"), joined = world.At("local-joined");
        string[] line = ["sample", "--model", world.Model, "--steps", "2", "--seeds", "0-19", "--batch", "4", "--threads", "1"];
        await Good([.. line, "--out", whole]);
        var interrupted = await CommandLineRun.UntilThereIs(
            Path.Combine(joined, "parts", "1-of-2", "part.json"), [.. line, "--out", joined, "--local", "2"]);
        Assert.Equal(130, interrupted.Code);
        Assert.True(Directory.Exists(Path.Combine(joined, "parts", "1-of-2")));
        await Good([.. line, "--out", joined, "--local", "2"]);
        AssertSame(whole, joined);
        Assert.Equal(Names(whole), Names(joined));
        await CommandLineRun.Refused("There is no model", "sample", "--model", world.At("none"), "--out", joined, "--local", "2");
    }

    private static async Task Good(params string[] line)
    {
        var run = await CommandLineRun.Of(line);
        Assert.True(run.Code == 0, run.Messages);
    }

    private static Summary Read(string folder) => JsonFile.Read<Summary>(Path.Combine(folder, "metrics.json"));

    private static string[] Names(string folder) =>
        [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order()];

    private static float[] Values(string path)
    {
        using var tensors = SafetensorsFile.Read(path).Tensors;
        return [.. tensors.OrderBy(t => t.Key, StringComparer.Ordinal).SelectMany(t => t.Value.to_type(ScalarType.Float32).flatten()
            .data<float>().ToArray())];
    }

    // Files with the same bytes, and JSON files with the same content but for times and places.
    private static void AssertSame(string whole, string joined, params string[] kinds)
    {
        foreach (string name in Names(whole).Where(n => kinds.Length == 0 || kinds.Contains(Path.GetExtension(n))))
        {
            byte[] expected = File.ReadAllBytes(Path.Combine(whole, name)), found = File.ReadAllBytes(Path.Combine(joined, name));
            if (!name.EndsWith(".json", StringComparison.Ordinal))
                Assert.True(expected.AsSpan().SequenceEqual(found), name);
            else
                Assert.Equal(Content(expected, whole), Content(found, joined));
        }
    }

    // JSON files whose numbers differ by no more than a tolerance, relative to 1 and above, but for times.
    private static void AssertClose(string whole, string joined, double tolerance)
    {
        double[][] numbers = [.. new[] { whole, joined }.Select(f => Numbers(JsonNode.Parse(File.ReadAllBytes(f))).ToArray())];
        Assert.Equal(numbers[0].Length, numbers[1].Length);
        Assert.All(numbers[0].Zip(numbers[1]), n => Assert.Equal(n.First, n.Second, tolerance * Math.Max(1, Math.Abs(n.First))));
    }

    private static IEnumerable<double> Numbers(JsonNode? node) => node switch
    {
        JsonObject item => item.Where(m => m.Key != "seconds").SelectMany(m => Numbers(m.Value)),
        JsonArray list => list.SelectMany(Numbers),
        JsonValue value when value.TryGetValue(out double number) => [number],
        _ => [],
    };

    private static string Content(byte[] json, string folder)
    {
        var content = JsonNode.Parse(json)!.AsObject();
        content.Remove("seconds");
        content.Remove("run");
        return content.ToJsonString().Replace(folder, "", StringComparison.Ordinal);
    }
}
