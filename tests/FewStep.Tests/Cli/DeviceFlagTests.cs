using FewStep.Tests.Onnx;

namespace FewStep.Tests.Cli;

public sealed class DeviceFlagTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    public static TheoryData<string> Verbs
        => ["train", "train-classifier", "schedule", "tune", "run", "sample", "evaluate", "compare", "verify", "data stats"];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Every_verb_that_runs_a_network_has_the_option(string verb)
        => Assert.Contains("--device", (await CommandLineRun.Of([.. verb.Split(' '), "--help"])).Output, StringComparison.Ordinal);

    [Fact]
    public async Task Without_a_gpu_one_line_says_why_and_auto_is_the_processor()
    {
        string[] sample = ["sample", "--model", world.Model, "--seeds", "0-1", "--steps", "2", "--out", world.At("device")];
        await CommandLineRun.Refused("none of auto, cpu, cuda and cuda:N", [.. sample, "--device", "gpu"]);
        if (CudaState.Now().Devices == 0)
        {
            await CommandLineRun.Refused("The device cuda cannot be used: ", [.. sample, "--device", "cuda"]);
            await CommandLineRun.Refused("The device cuda:1 cannot be used: ", [.. sample, "--device", "cuda:1"]);
            var sampled = await CommandLineRun.Json(sample);
            Assert.Equal("cpu", sampled.GetProperty("run").GetProperty("machine").GetProperty("device").GetString());
        }

        var on = await CommandLineRun.Json([.. sample, "--device", "cpu"]);
        Assert.Equal("cpu", on.GetProperty("run").GetProperty("machine").GetProperty("device").GetString());
        Assert.Equal("cpu", on.GetProperty("run").GetProperty("options").GetProperty("--device").GetString());
    }

    [Fact]
    public async Task What_only_the_processor_computes_refuses_a_gpu_by_name()
    {
        string onnx = GaussianOnnx.Denoised().Write(world.At("gauss.onnx"));
        await CommandLineRun.Refused("is an ONNX file, which is computed on the processor; leave the device cuda out", "sample", "--model",
            onnx, "--seeds", "0", "--steps", "1", "--device", "cuda", "--out", world.At("none"));
    }
}
