using FewStep.Tests.Text;
using FewStep.Tuning;

namespace FewStep.Tests.Cli;

public sealed class TuneLoraTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task Adapters_are_tuned_written_and_sampled_or_refused()
    {
        string dit = GoldenPipelines.At("dit-tiny"), tuned = world.At("dit-lora");
        string[] short_ = ["--dtype", "float32", "--sampler", "karras/euler/2", "--updates", "2", "--tune-batch", "2", "--held-out",
            "2", "--teacher-substeps", "2", "--snapshots", "none"];
        var report = await CommandLineRun.Json(["tune", "--model", dit, .. short_, "--loss", "trajectory", "--lora", "4", "--lora-alpha",
            "2", "--guidance", "2", "--out", tuned]);
        Assert.Equal(4, report.GetProperty("options").GetProperty("lora").GetProperty("rank").GetInt32());
        Assert.True(File.Exists(Path.Combine(tuned, "lora.safetensors")));
        await CommandLineRun.Json(
            ["sample", "--model", tuned, "--dtype", "float32", "--seeds", "0-1", "--output", world.At("dit-lora.npz")]);

        await CommandLineRun.Refused("--lora-alpha does nothing without --lora RANK",
            ["tune", "--model", dit, .. short_, "--lora-alpha", "2", "--out", world.At("idle")]);
        await CommandLineRun.Refused("no attention or feed-forward layers",
            ["tune", "--model", world.Model, .. short_, "--lora", "2", "--out", world.At("none")]);
    }

    [Fact]
    public async Task Adapters_of_a_flow_are_tuned_from_prompts_and_sampled_in_its_pipeline()
    {
        string pipeline = TextPipelines.StableDiffusion3(world.At("sd3")), tuned = world.At("sd3-lora"),
            prompts = world.At("prompts.txt");
        File.WriteAllText(prompts, "a photo of a cat\na red house by the sea\n");
        string[] model = ["--model", pipeline, "--prompts", prompts, "--dtype", "float32"];
        await CommandLineRun.Json(["tune", .. model, "--guidance", "3", "--sampler", "karras/euler/2", "--updates", "2", "--tune-batch",
            "2", "--held-out", "2", "--teacher-substeps", "2", "--snapshots", "none",
            "--loss", "trajectory", "--lora", "2", "--out", tuned]);
        await CommandLineRun.Json(["sample", .. model, "--model-lora", Path.Combine(tuned, "lora.safetensors"), "--sampler",
            Path.Combine(tuned, "sampler.json"), "--seeds", "0-1", "--output", world.At("sd3-lora.npz")]);
    }

    [Fact]
    public void A_model_keeps_the_adapters_that_it_was_tuned_by()
    {
        using var model = Model.Open(GoldenPipelines.At("dit-tiny"), new() { ComputeType = float32 });
        var options = new TuningOptions
        { Lora = new() { Rank = 2 }, Loss = TuningLoss.Trajectory, Updates = 1, Batch = 2, HeldOutCount = 2, TeacherSubsteps = 2 };
        using var tuned = model.Tune(
            model.CreateSampler("karras", "euler", 2), options, cancellation: TestContext.Current.CancellationToken);
        tuned.SaveLora(world.At("library.safetensors"));
        using var lora = FewStep.Checkpoints.LoraFile.Read(world.At("library.safetensors"));
        Assert.Equal(2 * 6, lora.Count);
        Assert.Contains("was not tuned by a LoRA",
            Assert.Throws<InvalidInputException>(() => model.SaveLora(world.At("no.safetensors"))).Message, StringComparison.Ordinal);
    }
}
