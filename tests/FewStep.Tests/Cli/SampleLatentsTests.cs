using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Sampling;
using FewStep.Tests.Solvers;

namespace FewStep.Tests.Cli;

public sealed class SampleLatentsTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Theory]
    [InlineData(0, "unipc", "--order 3 --variant bh1 --predict data --lower-order-final")]
    [InlineData(2, "unipc", "--order 3 --variant bh1 --predict data --lower-order-final")]
    [InlineData(1, "dpmpp", "--order 2 --predict noise --lower-order-final true")]
    [InlineData(1, "dpmpp", "--order 3 --lower-order-final false")]
    [InlineData(3, "heun", "")]
    [InlineData(2, "ipndm_v", "--order 4")]
    [InlineData(2, "dpm2", "")]
    public async Task Raw_latents_and_an_exact_mixture_give_the_golden_samples(int number, string solver, string flags)
    {
        var golden = SolverGolden.Read().Cases[number];
        string mixture = world.At($"mixture-{number}.json"), latents = world.At($"latents-{number}.npz"), samples = New("npz");
        TestMixtures.Write(mixture, golden.Data());
        NpzFile.Write(
            latents, new Dictionary<string, NpyArray> { ["latents"] = new(golden.Latents, [.. golden.Shape.Select(s => (long)s)]) });
        string schedule = world.At($"sigmas-{number}.json");
        JsonFile.Write(schedule, new { golden.Schedule.Sigmas });
        string[] words = flags.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var printed = await CommandLineRun.Json(["sample", "--model", mixture, "--latents", latents, "--schedule", schedule, "--solver",
            solver, .. words, "--batch", "3", "--output", samples]);

        var run = golden.Runs.Single(r => r.Solver == solver && !r.DenoisesToZero && !r.HasAnalyticalFirstStep
            && FewStep.Solvers.SolverCatalog.Find(r.Text()).Name == printed.GetProperty("solver").GetString());
        var written = NpzFile.Read(samples);
        Assert.Equal(["samples", "nfe", "latents"], written.Keys);
        Assert.Equal(golden.Shape.Select(s => (long)s), written["samples"].Shape);
        Assert.All(((double[])written["samples"].Values).Zip(run.Samples), p => Assert.Equal(p.Second, p.First, 1e-10));
        Assert.Equal([run.Nfe], ((long[])written["nfe"].Values));
        Assert.Empty(written["nfe"].Shape);
        Assert.Equal(run.Nfe, printed.GetProperty("evaluations_per_image").GetDouble());
        Assert.Equal(latents, printed.GetProperty("latents").GetString());
        Assert.False(printed.TryGetProperty("seeds", out _));
    }

    [Fact]
    public async Task A_networks_latents_are_those_of_seeds_and_labels_come_from_the_file()
    {
        using var scope = NewDisposeScope();
        string fromSeeds = New("npz"), fromLatents = New("npz"), withLabels = New("npz"), one = New("npz");
        string[] common = ["sample", "--model", world.Model, "--steps", "3", "--solver", "ipndm:2", "--dtype", "float32"];
        await CommandLineRun.Json([.. common, "--seeds", "0-4", "--output", fromSeeds]);
        var drawn = NpyArray.FromTensor(Latents.Draw([0, 1, 2, 3, 4], new ImageShape(1, 8, 8)));
        await CommandLineRun.Json([.. common, "--latents", Npz(drawn), "--output", fromLatents]);
        await CommandLineRun.Json(
            [.. common, "--latents", Npz(drawn, new NpyArray(new long[] { 2, 2, 2, 2, 2 }, 5)), "--output", withLabels]);
        await CommandLineRun.Json([.. common, "--latents", Npz(drawn), "--label", "2", "--output", one]);
        Assert.Equal(Values(fromSeeds), Values(fromLatents));
        Assert.Equal(Values(one), Values(withLabels));
        Assert.NotEqual(Values(one), Values(fromSeeds));
        Assert.Equal([3], ((long[])NpzFile.Read(fromSeeds)["nfe"].Values));
    }

    [Fact]
    public async Task Pictures_can_be_made_from_latents_of_a_mixture_too()
    {
        string mixture = Mixture(new ImageShape(3, 4, 4)), folder = world.At(Guid.NewGuid().ToString("N")), grid = New("png");
        using var scope = NewDisposeScope();
        string latents = Npz(NpyArray.FromTensor(Latents.Draw([0, 1, 2], new ImageShape(3, 4, 4))));
        var printed = await CommandLineRun.Json(
            "sample", "--model", mixture, "--latents", latents, "--steps", "4", "--solver", "dpmpp", "--out", folder, "--grid", grid);
        Assert.Equal(
            ["000000.png", "000001.png", "000002.png", "manifest.json"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        Assert.True(File.Exists(grid));
        Assert.Equal("gaussian-mixture", printed.GetProperty("model").GetProperty("preconditioning").GetString());
        Assert.Equal("float32", printed.GetProperty("dtype").GetString());
        Assert.Equal("dpmpp:3", printed.GetProperty("solver").GetString());
    }

    [Fact]
    public async Task Churn_reaches_the_sampler_and_the_manifest()
    {
        string mixture = Mixture(new ImageShape(1, 4, 4)), plain = New("npz"), churned = New("npz"), again = New("npz");
        string[] common = ["sample", "--model", mixture, "--steps", "4", "--solver", "heun", "--seeds", "0-4"];
        await CommandLineRun.Json([.. common, "--output", plain]);
        var printed = await CommandLineRun.Json(
            [.. common, "--s-churn", "3", "--s-min", "0.05", "--s-max", "50", "--s-noise", "1.003", "--output", churned]);
        await CommandLineRun.Json(
            [.. common, "--s-churn", "3", "--s-min", "0.05", "--s-max", "50", "--s-noise", "1.003", "--batch", "2", "--output", again]);
        Assert.NotEqual(Values(plain), Values(churned));
        Assert.All(Values(churned).Zip(Values(again)), p => Assert.Equal(p.First, p.Second, 1e-4));
        Assert.Equal(50, printed.GetProperty("churn").GetProperty("maximum_sigma").GetDouble());
        Assert.Equal(3, (await CommandLineRun.Json([.. common, "--s-churn", "3", "--output", again])).GetProperty("churn")
            .GetProperty("amount").GetDouble());
    }

    [Theory]
    [InlineData("int32", "must be float32 or float64")]
    [InlineData("shape", "must be [B, 1, 8, 8]")]
    [InlineData("empty", "must be [B, 1, 8, 8]")]
    [InlineData("nan", "value 70 of the latents (image 1) is NaN")]
    [InlineData("none", "holds no array")]
    [InlineData("label count", "must be int64 [2]")]
    [InlineData("label type", "must be int64 [2]")]
    [InlineData("label", "label 9 of image 1")]
    [InlineData("text", "is not a sound zip file")]
    public async Task Latents_that_do_not_fit_are_refused(string what, string fragment)
    {
        float[] values = new float[128];
        if (what == "nan")
            values[70] = float.NaN;
        NpyArray latents = what switch
        {
            "int32" => new NpyArray(new int[128], 2, 1, 8, 8),
            "shape" => new NpyArray(values, 2, 1, 4, 16),
            "empty" => new NpyArray(Array.Empty<float>(), 0, 1, 8, 8),
            _ => new NpyArray(values, 2, 1, 8, 8),
        };
        NpyArray? labels = what switch
        {
            "label count" => new NpyArray(new long[] { 1 }, 1),
            "label type" => new NpyArray(new[] { 1, 1 }, 2),
            "label" => new NpyArray(new long[] { 1, 9 }, 2),
            _ => null,
        };
        string file = what switch
        {
            "text" => world.Write("text.npz", "no zip"),
            "none" => Npz(latents, name: "noise"),
            _ => Npz(latents, labels),
        };
        string output = New("npz");
        await CommandLineRun.Refused(fragment, "sample", "--model", world.Model, "--steps", "2", "--latents", file, "--output", output);
        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task Contradictions_are_refused()
    {
        string latents = Npz(new NpyArray(new float[128], 2, 1, 8, 8), new NpyArray(new long[2], 2)), output = New("npz");
        await Refused("--seeds has no use", "--latents", latents, "--seeds", "0-3");
        await Refused("--label contradicts it", "--latents", latents, "--label", "1");
        await Refused("order 2, but order 3", "--solver", "unipc:2", "--order", "3");
        await Refused("variant=bh1, but variant=bh2", "--solver", "unipc:variant=bh1", "--variant", "bh2");
        await Refused("takes no order", "--order", "3");
        await Refused("no option variant", "--solver", "dpmpp", "--variant", "bh1");
        await Refused("predict is data or noise", "--solver", "dpmpp", "--predict", "eps");
        await Refused("does not go with solver deis:4", "--solver", "deis", "--s-churn", "1");
        await Refused("--s-noise does nothing", "--s-noise", "1.003");
        await Refused("S_churn -1", "--s-churn", "-1");
        await Refused("channels", "--model", Mixture(new ImageShape(2, 2, 2)), "--grid", New("png"));
        Assert.False(File.Exists(output));
        await CommandLineRun.Refused("it is a folder", "sample", "--model", world.Model, "--steps", "2", "--output", world.Data);
        await CommandLineRun.Refused("is of kind", "sample", "--model", world.Write("other.json",
            "{\"kind\":\"x\",\"weights\":[1],\"means\":[[1]],\"stds\":[1],\"shape\":[1,1,1]}"), "--steps", "2", "--output", output);

        async Task Refused(string fragment, params string[] arguments)
        {
            string[] model = arguments.Contains("--model") ? [] : ["--model", world.Model];
            await CommandLineRun.Refused(fragment, ["sample", .. model, "--steps", "2", .. arguments, "--output", output]);
        }
    }

    [Fact]
    public async Task A_schedule_files_solver_takes_the_flags()
    {
        string file = world.Write(
            "with-solver.schedule.json", "{\"version\":1,\"steps\":2,\"sigmas\":[80,1,0.002],\"solver\":\"unipc:2\"}");
        var printed = await CommandLineRun.Json("sample", "--model", world.Model, "--schedule", file, "--seeds", "0", "--variant", "bh1",
            "--thresholding", "false", "--output", New("npz"));
        Assert.Equal("unipc:2:variant=bh1:thresholding=false", printed.GetProperty("solver").GetString());
    }

    [Fact]
    public async Task A_sample_that_is_not_finite_is_not_written()
    {
        string model = TinyWorld.WriteModel(world.At("huge-npz"), 1, float.MaxValue), output = New("npz");
        await CommandLineRun.Refused("NaN or infinite", "sample", "--model", model, "--steps", "2", "--seeds", "0", "--output", output);
        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task The_solvers_are_listed_without_a_model()
    {
        var listing = await CommandLineRun.Json("sample", "--list-solvers", "--model", world.At("nothing"));
        var solvers = listing.GetProperty("solvers").EnumerateArray().ToList();
        Assert.Equal(FewStep.Solvers.SolverCatalog.Names, solvers.Select(s => s.GetProperty("name").GetString()!));
        var unipc = solvers.Single(s => s.GetProperty("name").GetString() == "unipc");
        Assert.Equal([1, 2, 3], unipc.GetProperty("orders").EnumerateArray().Select(o => o.GetInt32()));
        Assert.Equal(3, unipc.GetProperty("default_order").GetInt32());
        Assert.Equal("bh1|bh2", unipc.GetProperty("options")[0].GetProperty("values").GetString());
        Assert.Equal(2, solvers.Single(s => s.GetProperty("name").GetString() == "heun").GetProperty("evaluations_per_step").GetInt32());

        var table = await CommandLineRun.Of("sample", "--list-solvers");
        Assert.Equal(0, table.Code);
        Assert.All(FewStep.Solvers.SolverCatalog.Names, name => Assert.Contains(name, table.Output, StringComparison.Ordinal));
    }

    private string Mixture(ImageShape shape)
    {
        string path = New("json");
        int d = (int)shape.Dimension;
        TestMixtures.Write(
            path, new GaussianMixture(shape, [0.5, 0.5], [[.. Enumerable.Repeat(0.4, d)], [.. Enumerable.Repeat(-0.4, d)]], [0.2, 0.3]));
        return path;
    }

    private string Npz(NpyArray latents, NpyArray? labels = null, string name = "latents")
    {
        string path = New("npz");
        var arrays = new Dictionary<string, NpyArray> { [name] = latents };
        if (labels is not null)
            arrays["labels"] = labels;
        NpzFile.Write(path, arrays);
        return path;
    }

    private static double[] Values(string file) => NpzFile.Read(file)["samples"].ToDoubles();

    private string New(string extension) => world.At($"{Guid.NewGuid():N}.{extension}");
}
