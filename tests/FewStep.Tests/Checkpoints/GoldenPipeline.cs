using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

/// <summary>Tiny pipelines in the folder layout of diffusers, with random weights and what diffusers 0.30.3 computed with them in
/// float32.</summary>
internal static class GoldenPipeline
{
    /// <summary>What another implementation may differ by in one evaluation, relative to the largest magnitude.</summary>
    public const double Tolerance = 2e-5;

    /// <summary>The same of guided outputs, trajectories and decoded images.</summary>
    public const double GuidedTolerance = 5e-5;

    public static string Folder(string name) => Path.Combine(AppContext.BaseDirectory, "golden", "pipelines", name);

    public static string File(string name, params string[] parts) => Path.Combine([Folder(name), .. parts]);

    /// <summary>A pipeline with a U-Net of latents.</summary>
    public static LatentPipeline Latents(string name) => new(new(Folder(name), File(name, "unet")), new ModelReadOptions());

    public static IReadOnlyDictionary<string, NpyArray> Arrays(string name, string file) => NpzFile.Read(File(name, file + ".golden.npz"));

    public static void Agree(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        double error = ((actual - expected).abs().max() / expected.abs().max()).item<float>();
        Assert.InRange(error, 0, tolerance);
    }
}
