using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Checkpoints;
using FewStep.Tests.Networks;
using TorchSharp;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Models;

/// <summary>Pipelines of diffusers through the front door, against what diffusers computed with them.</summary>
public sealed class NativePipelineTests : IDisposable
{
    // Of prompts 0 and 2 of the golden tokenizer.
    private static readonly string[] Texts =
        ["a photo of an astronaut riding a horse on mars", "Crème brûlée à la façon de Gdańsk, naïve café"];

    private static readonly ModelOptions Guided = new()
    { Prompts = Texts, Guidance = new() { Weight = 7.5 }, ComputeType = float32, Device = DeviceChoice.Cpu };

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Prompts_become_the_images_of_diffusers_and_of_ONNX()
    {
        using var model = Model.Open(At("sd15-tiny"), Guided);
        Assert.Equal((new ImageShape(3, 32, 32), new ImageShape(4, 16, 16), 2), (model.Shape, model.Summary.Latents, model.Classes));
        Assert.Equal(Texts, model.Summary.Prompts!);
        var golden = Arrays("sd15-tiny", "sampling-euler4.golden.npz");
        var end = Sampled(model, golden, null);
        Agrees(golden["image"], model.ImagesOf(end), 1e-4);
        Agrees(golden["image_uint8"], Levels(model.ImagesOf(end)), 1.5 / 255);

        using var onnx = Model.Open(At("sd15-tiny-onnx"), Guided);
        var sampler = Sampler(model, golden);
        using Samples native = model.Sample(3, sampler), other = onnx.Sample(3, sampler);
        Agrees(other.Latents!, native.Latents!, 1e-4);
        Agrees(other.Images, native.Images, 1e-4);
        Assert.Equal(2 * 4, native.EvaluationsPerImage);
    }

    [Fact]
    public void What_an_image_depends_on_is_in_the_hash()
    {
        using var model = Model.Open(At("sd15-tiny"), Guided);
        using var other = Model.Open(At("sd15-tiny", "unet"), Guided with { NegativePrompt = "blurred" });
        Assert.NotEqual(model.Hash, other.Hash);
        Assert.Equal(model.NetworkHash, other.NetworkHash);
        string lora = At("sd15-tiny", "lora", "kohya.safetensors");
        using var fused = Open(new Lora(lora));
        using var half = Open(Lora.Parse(lora + ":0.5"));
        Assert.Equal(4, new[] { model, other, fused, half }.Select(m => m.Hash).Distinct().Count());
        Assert.Equal(3, new[] { model, other, fused, half }.Select(m => m.NetworkHash).Distinct().Count());
        Model Open(Lora given) => Model.Open(At("sd15-tiny"), Guided with { Checkpoint = new() { Loras = [given] } });
    }

    [Theory]
    [InlineData("pytorch_lora_weights", "attention")]
    [InlineData("peft-names", "attention")]
    [InlineData("processor-names", "attention")]
    [InlineData("kohya", "kohya")]
    [InlineData("kohya-with-convolutions", "convolutions")]
    public void Loras_are_fused_into_network_and_text_encoder(string file, string name)
    {
        var golden = Arrays("sd15-tiny", "lora.golden.npz");
        foreach (var (scale, suffix) in new[] { (1.0, "1"), (0.5, "05") })
        {
            var lora = new Lora(At("sd15-tiny", "lora", $"{file}.safetensors"), scale);
            using var model = Model.Open(At("sd15-tiny"), Guided with { Checkpoint = new() { Loras = [lora] } });
            var told = model.Network!.Conditions.Of(tensor([0L]), 1, CPU, float32).Context!;
            model.Network!.Conditions = new GivenConditions(new() { Context = golden["encoder_hidden_states"] });
            Agrees(golden[$"{name}_{suffix}"], model.Network.Raw(golden["sample"], golden["timestep"].to(float32).expand(2), null),
                OfOneCall);
            if (name == "kohya")
                Agrees(golden[$"kohya_text_{suffix}"][0], told[0], OfOneCall);
        }
    }

    [Fact]
    public void Classes_become_the_images_of_DiT()
    {
        using var model = Model.Open(At("dit-tiny"), new()
        { Guidance = new() { Weight = 4 }, ComputeType = float32, Device = DeviceChoice.Cpu });
        var golden = Arrays("dit-tiny", "sampling-euler4.golden.npz");
        Agrees(golden["image"], model.ImagesOf(Sampled(model, golden, golden["class_labels"])), 1e-4);
    }

    private static Sampler Sampler(Model model, Dictionary<string, Tensor> golden)
    {
        var noise = ((DiscreteVpPreconditioning)model.Network!.Preconditioning).Noise;
        return new(new SamplingSchedule(golden["timesteps"].to(int32).data<int>().Select(t => noise.Sigmas[t]), ScheduleTerminal.Zero),
            new EulerSolver());
    }

    private static Tensor Sampled(Model model, Dictionary<string, Tensor> golden, Tensor? labels)
    {
        var loop = new SamplingLoop(model.Denoiser, new EulerSolver(), Sampler(model, golden).Schedule);
        Tensor trajectory = golden["trajectory"];
        labels ??= arange(TensorArithmetic.Zero, TensorArithmetic.Number(2), TensorArithmetic.One, int64);
        var end = loop.Sample(golden["latents"], labels, point => Agrees(trajectory[point.Index], point.State, OfTrajectory)).Samples;
        Agrees(trajectory[^1], end, OfTrajectory);
        return end;
    }

    // As diffusers makes 8 bits of images, in height, width, channel.
    private static Tensor Levels(Tensor images) => (images * 0.5 + 0.5).clamp(0, 1).mul(255).round().permute(0, 2, 3, 1);
}
