using FewStep.Checkpoints;

namespace FewStep.Tests;

/// <summary>Tiny pipelines of random weights in the layouts of published ones, and what the reference implementations computed with them
/// (golden/pipelines/README.md).</summary>
internal static class GoldenPipelines
{
    /// <summary>Largest difference from the reference of one evaluation, as a share of its largest magnitude.</summary>
    public const double OfOneCall = 2e-5;

    /// <summary>The same of guided outputs and whole trajectories.</summary>
    public const double OfTrajectory = 5e-5;

    /// <summary>A file or folder of them.</summary>
    public static string At(params ReadOnlySpan<string> parts) => Path.Combine([AppContext.BaseDirectory, "golden", "pipelines", .. parts]);

    /// <summary>The arrays of a file, by its path or its place among them, as tensors of the current dispose scope.</summary>
    public static Dictionary<string, Tensor> Arrays(params ReadOnlySpan<string> parts)
        => NpzFile.Read(At(parts)).ToDictionary(array => array.Key, array => array.Value.ToTensor());

    /// <summary>A pipeline with a U-Net of latents.</summary>
    public static LatentPipeline Latents(string name) => new(new(At(name), At(name, "unet")), new ModelReadOptions());

    public static double Number(this Tensor x) => x.to(float64).item<double>();

    /// <summary>The largest difference, relative to the largest magnitude of what is expected.</summary>
    public static double Difference(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        return (expected.to(float64) - actual.to(float64)).abs().max().Number() / expected.abs().max().Number();
    }

    public static void Agrees(Tensor expected, Tensor actual, double tolerance)
    {
        double error = Difference(expected, actual);
        Assert.True(error <= tolerance, FormattableString.Invariant($"{error:G3} is more than {tolerance:G3} of the largest magnitude."));
    }
}
