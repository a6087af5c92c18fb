using FewStep.Checkpoints;
using FewStep.Denoising;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Networks;

/// <summary>Networks from NVlabs/edm2 pickles against what the reference implementation computed with them.</summary>
public sealed class Edm2ParityTests
{
    [Fact]
    public void Denoised_and_autoguided_images_are_the_reference_implementation_s()
    {
        using var scope = NewDisposeScope();
        using var source = ModelSource.Open(At("edm2-tiny", "edm2-tiny-cond.pkl"));
        using var guide = ModelSource.Open(At("edm2-tiny", "edm2-tiny-uncond-guide.pkl"));
        var golden = Arrays("edm2-tiny", "edm2-tiny.golden.npz");
        Tensor x = golden["x"], sigma = golden["sigma"], labels = golden["labels"].argmax(1);
        Agrees(golden["denoised"], source.Denoiser.Denoise(x, sigma, labels), OfOneCall);
        Agrees(golden["denoised_zero_label"], source.Denoiser.Denoise(x, sigma, null), OfOneCall);
        Agrees(golden["denoised_guide"], guide.Denoiser.Denoise(x, sigma, null), OfOneCall);
        var guided = GuidedDenoiser.Auto(source.Denoiser, guide.Denoiser, new Guidance { Weight = golden["guidance"].Number() });
        Agrees(golden["denoised_guided"], guided.Denoise(x, sigma, labels), OfTrajectory);
        Assert.Equal((10, 0, "4x16x16"), (source.Config.Classes, guide.Config.Classes, source.Config.Shape.ToString()));
        Assert.False(source.Denoiser.KnowsNoClass);
        Assert.Empty(source.Remarks);
    }

    [Fact]
    public void A_model_folder_keeps_it()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var source = ModelSource.Open(At("edm2-tiny", "edm2-tiny-cond.pkl"));
        ModelFolder.Write(folder.File("model"), source.Config, source.Denoiser, source.Denoiser.Weights);
        using var copy = ModelSource.Open(folder.File("model"));
        Tensor x = ones(1, 4, 16, 16), sigma = tensor(new[] { 1.5f });
        Assert.Equal(source.Denoiser.Denoise(x, sigma, null).data<float>().ToArray(),
            copy.Denoiser.Denoise(x, sigma, null).data<float>().ToArray());
    }

    [Fact]
    public void Latents_are_named_as_such()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        byte[] bytes = File.ReadAllBytes(At("edm2-tiny", "edm2-tiny-uncond-guide.pkl"));
        byte[] pixels = "StandardRGBEncoder"u8.ToArray(), latents = "StabilityVAEEncoder"u8.ToArray();
        int at = bytes.AsSpan().IndexOf(pixels);
        int before = bytes[at - 1] == 0x12 ? 1 : 4; // length of the text as a byte, or as four
        byte[] length = before == 1 ? [0x13] : [0x13, 0, 0, 0];
        string path = folder.Write("latent.pkl", [.. bytes[..(at - before)], .. length, .. latents, .. bytes[(at + pixels.Length)..]]);
        using var source = ModelSource.Open(path);
        Assert.Contains("latents of the autoencoder 'stabilityai/sd-vae-ft-mse'", Assert.Single(source.Remarks), StringComparison.Ordinal);
    }
}
