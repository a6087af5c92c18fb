using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Networks;
using FewStep.Tests.Text;
using FewStep.Text;

namespace FewStep.Tests.Models;

/// <summary>Stable Diffusion 3 and Flux from prompts, against their parts called one by one as diffusers' pipelines call them.</summary>
public sealed class TextPipelineTests : TensorFileTests
{
    private static readonly string[] Texts =
        ["a photo of an astronaut riding a horse on mars", "un château près de la forêt <extra_id_0>"];

    private static readonly ModelOptions Plain = new() { Prompts = Texts, ComputeType = float32, Device = DeviceChoice.Cpu };

    [Fact]
    public void Stable_Diffusion_3_is_told_two_encoders_of_CLIP_and_T5()
    {
        string root = TextPipelines.StableDiffusion3(_folder.File("sd3"));
        using var model = Model.Open(root, Plain with { Guidance = new() { Weight = 5 } });
        Assert.Equal((new ImageShape(3, 32, 32), 2), (model.Shape, model.Classes));
        Assert.DoesNotContain(model.Remarks, remark => remark.Contains("T5", StringComparison.Ordinal));
        string[] all = [.. Texts, ""];
        var (first, second) = (Clip(root, "", all, TextLayer.Penultimate), Clip(root, "_2", all, TextLayer.Penultimate));
        var clip = cat([first.Hidden, second.Hidden], -1);
        Tensor context = cat([cat([clip, zeros(3, 77, 4)], -1), T5(root, "_3", all, 256)], 1);
        var pooled = cat([first.Pooled!, second.Pooled!], -1);
        var told = Told(model);
        Assert.Equal([3, 333, 40], told.Context!.shape);
        GoldenPipelines.Agrees(context, told.Context, 1e-6);
        GoldenPipelines.Agrees(pooled, told.Pooled!, 1e-6);
        Sampled(model, root, new() { Context = context, Pooled = pooled }, guidance: 5);

        // Long prompts are cut for each kind of encoder by itself.
        string many = string.Join(' ', Enumerable.Repeat("cat", 100));
        using var cut = Model.Open(root, Plain with { Prompts = [many, "a cat"] });
        Assert.Equal(["1 prompts are longer than the 77 tokens that its text encoders read; their ends are cut."],
            cut.Remarks.Where(remark => remark.Contains("longer", StringComparison.Ordinal)));
        using var other = Model.Open(root, Plain with { Prompts = ["a cat", many + many + many] });
        Assert.Equal(2, other.Remarks.Count(remark => remark.Contains("longer", StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_T5_zeros_stand_for_its_part()
    {
        string root = TextPipelines.StableDiffusion3(_folder.File("sd3"), hasT5: false);
        using var model = Model.Open(root, Plain);
        Assert.Contains("There is no text_encoder_3 (T5): zeros stand for its part of every text, as in diffusers.", model.Remarks);
        var told = Told(model);
        Assert.Equal([3, 333, 40], told.Context!.shape);
        Assert.Equal(0, told.Context.narrow(1, 77, 256).abs().sum().item<float>());
        Assert.Equal(0, told.Context.narrow(2, 36, 4).abs().sum().item<float>());
        Assert.NotEqual(0, told.Context.narrow(2, 35, 1).abs().sum().item<float>());
        using var samples = model.Sample(1, new Sampler(FlowMatchScheduler.Of(root)!.Schedule(2), new EulerSolver()));
        Assert.True(samples.Images.isfinite().all().item<bool>());
        Assert.NotEqual(model.Hash, Hash(TextPipelines.StableDiffusion3(_folder.File("whole"))));
    }

    [Fact]
    public void Flux_is_told_T5_and_what_CLIP_pools()
    {
        string root = TextPipelines.Flux(_folder.File("flux"));
        var options = Plain with { Checkpoint = new() { Resolution = 32 } };
        using var model = Model.Open(root, options);
        Assert.Equal(("told to the network, 3.5", new ImageShape(3, 32, 32)), (model.Summary.Guidance, model.Shape));
        string[] all = [.. Texts, ""];
        Tensor context = T5(root, "_2", all, 512), pooled = Clip(root, "", all, TextLayer.Last).Pooled!;
        var told = Told(model);
        GoldenPipelines.Agrees(context, told.Context!, 1e-6);
        GoldenPipelines.Agrees(pooled, told.Pooled!, 1e-6);
        Assert.All(told.GuidanceScale!.data<float>().ToArray(), scale => Assert.Equal(3.5f, scale));
        Sampled(model, root, new() { Context = context, Pooled = pooled, GuidanceScale = full([3], 3.5f) });
        Refused.With("leave interval, rescale",
            () => Model.Open(root, options with { Guidance = new() { Weight = 2 }, NegativePrompt = "blurred" }).Dispose());

        using var schnell = Model.Open(TextPipelines.Flux(_folder.File("schnell"), isSchnell: true), options);
        var few = Told(schnell);
        Assert.Equal(((long)256, null, null), (few.Context!.shape[1], few.GuidanceScale, schnell.Summary.Guidance));
    }

    [Fact]
    public void What_does_not_belong_together_is_refused()
    {
        string root = TextPipelines.StableDiffusion3(_folder.File("sd3"));
        Refused.With("makes images of prompts", () => Model.Open(root, Plain with { Prompts = null }).Dispose());
        File.Delete(Path.Combine(root, "tokenizer_3", "spiece.model"));
        Refused.With("is no tokenizer of T5: spiece.model is missing", () => Model.Open(root, Plain).Dispose());

        root = TextPipelines.StableDiffusion3(_folder.File("two"));
        Directory.Delete(Path.Combine(root, "text_encoder_2"), recursive: true);
        Refused.With("or one is missing", () => Model.Open(root, Plain).Dispose());
        root = TextPipelines.Flux(_folder.File("flux"));
        Directory.Delete(Path.Combine(root, "text_encoder"), recursive: true);
        Refused.With("or one is missing", () => Model.Open(root, Plain).Dispose());

        // Tokens that the encoder does not know.
        root = TextPipelines.Flux(_folder.File("small"));
        string encoder = Path.Combine(root, "text_encoder_2"), config = Path.Combine(encoder, "config.json"),
            weights = Path.Combine(encoder, "model.safetensors");
        File.WriteAllText(config, File.ReadAllText(config).Replace("704", "500"));
        using (var tensors = SafetensorsFile.Read(weights).Tensors)
        {
            tensors["shared.weight"] = tensors["shared.weight"].narrow(0, 0, 500).clone().DetachFromDisposeScope();
            SafetensorsFile.Write(weights, tensors);
        }

        using var model = Model.Open(root, Plain with { Checkpoint = new() { Resolution = 32 } });
        Refused.With("they do not belong together", () => Told(model));
    }

    private static string Hash(string root)
    {
        using var model = Model.Open(root, Plain);
        return model.Hash;
    }

    private static NetworkCondition Told(Model model) => model.Prompts!.Of(tensor([0L, 1, -1]), 3, CPU, float32);

    private static TextStates Clip(string root, string number, string[] texts, TextLayer layer)
    {
        var tokenizer = ClipTokenizer.Open(Path.Combine(root, $"tokenizer{number}"));
        using var encoder = TextEncoder.Open(Path.Combine(root, $"text_encoder{number}"));
        return encoder.Encode(Ids(tokenizer, texts, 77), layer);
    }

    private static Tensor T5(string root, string number, string[] texts, int length)
    {
        var tokenizer = T5Tokenizer.Open(Path.Combine(root, $"tokenizer{number}"));
        using var encoder = TextEncoder.Open(Path.Combine(root, $"text_encoder{number}"));
        return encoder.Encode(Ids(tokenizer, texts, length), TextLayer.Last).Hidden;
    }

    private static Tensor Ids(ITokenizer tokenizer, string[] texts, int length)
        => tensor(texts.SelectMany(text => tokenizer.Padded(tokenizer.Encode(text), length)).ToArray()).view(texts.Length, length);

    // The pipeline's loop over the scheduler's own times: x + (t' - t) v, where v is guided by the empty prompt, the last row.
    private static void Sampled(Model model, string root, NetworkCondition rows, double? guidance = null)
    {
        var scheduler = FlowMatchScheduler.Of(root)!;
        var latents = Latents.Draw([0, 1], model.Denoiser.Shape);
        var labels = tensor(new long[] { 0, 1 });
        var result = new SamplingLoop(model.Denoiser, new EulerSolver(), scheduler.Schedule(4, 64)).Sample(latents, labels);
        Assert.Equal(guidance is null ? 4 : 8, result.EvaluationsPerImage);

        model.Network!.Conditions = new GivenConditions(rows);
        double[] times = scheduler.Times(4, 64);
        Tensor x = latents.clone(), nothing = tensor(new long[] { 2, 2 });
        for (int i = 0; i < 4; i++)
        {
            Tensor time = full([2], (float)(1000 * times[i])), v = model.Network.Raw(x, time, labels);
            if (guidance is { } weight)
            {
                var unguided = model.Network.Raw(x, time, nothing);
                v = unguided + weight * (v - unguided);
            }

            x += (times[i + 1] - times[i]) * v;
        }

        GoldenPipelines.Agrees(x, result.Samples, GoldenPipelines.OfTrajectory);
        var images = model.ImagesOf(result.Samples);
        Assert.Equal([2, 3, 32, 32], images.shape);
        Assert.True(images.isfinite().all().item<bool>());
    }
}
