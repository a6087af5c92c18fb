using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Tests.Networks;

/// <summary>Networks from NVlabs/edm pickles against what the reference implementation computed with them.</summary>
public sealed class EdmParityTests
{
    public static TheoryData<string> Networks
        => new("edm-ddpmpp-uncond", "edm-ncsnpp-cond", "edm-adm-cond", "vp-ddpmpp-uncond", "ve-ncsnpp-uncond", "iddpm-adm-cond");

    [Theory]
    [MemberData(nameof(Networks))]
    public void Denoised_images_are_the_reference_implementation_s(string name)
    {
        using var scope = NewDisposeScope();
        (ModelConfig config, NetworkDenoiser denoiser) = EdmModel.Read(Golden(name + ".pkl"));
        using (denoiser)
        {
            IReadOnlyDictionary<string, NpyArray> golden = NpzFile.Read(Golden(name + ".golden.npz"));
            Tensor expected = golden["denoised"].ToTensor();
            Tensor? labels = golden.TryGetValue("labels", out NpyArray? oneHot) ? oneHot.ToTensor().argmax(1) : null;
            Assert.Equal(labels is null ? 0 : oneHot!.Shape[1], config.Classes);
            Tensor actual = denoiser.Denoise(golden["x"].ToTensor(), golden["sigma"].ToTensor().view(-1), labels);
            double error = ((actual - expected).abs().max() / expected.abs().max()).item<float>();
            Assert.InRange(error, 0, 2e-5);

            double rawMin = golden["raw_sigma_min"].ToDoubles()[0], rawMax = golden["raw_sigma_max"].ToDoubles()[0];
            double tolerance = name.StartsWith("iddpm", StringComparison.Ordinal) ? 0 : 1e-3; // its levels are in the file
            Assert.InRange(denoiser.SigmaMin, rawMin * (1 - tolerance), Math.Max(rawMin, 0.002) * (1 + tolerance));
            Assert.InRange(denoiser.SigmaMax, Math.Min(rawMax, 80) * (1 - tolerance), rawMax * (1 + tolerance));
        }
    }

    [Fact]
    public void A_model_folder_keeps_an_imported_network()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        (ModelConfig config, NetworkDenoiser denoiser) = EdmModel.Read(Golden("iddpm-adm-cond.pkl"));
        ModelFolder.Write(folder.File("model"), config, denoiser, denoiser.Weights);
        (ModelConfig _, NetworkDenoiser copy) = ModelFolder.Read(folder.File("model"));
        Tensor x = NpzFile.Read(Golden("iddpm-adm-cond.golden.npz"), ["x"])["x"].ToTensor();
        Tensor sigma = tensor(new[] { 1.5f });
        Assert.Equal(denoiser.Denoise(x, sigma, null).data<float>().ToArray(), copy.Denoise(x, sigma, null).data<float>().ToArray());
        denoiser.Dispose();
        copy.Dispose();
    }

    private static string Golden(string file) => Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", file);
}
