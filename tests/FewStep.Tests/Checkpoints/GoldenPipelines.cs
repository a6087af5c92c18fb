using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

/// <summary>Tiny pipelines of random weights, and what the reference implementations computed with them.</summary>
internal static class GoldenPipelines
{
    /// <summary>Largest difference from the reference of one evaluation, as a share of its largest magnitude.</summary>
    public const double OfOneCall = 2e-5;

    /// <summary>The same of guided outputs and whole trajectories.</summary>
    public const double OfTrajectory = 5e-5;

    public static string At(params ReadOnlySpan<string> parts)
        => Path.Combine([AppContext.BaseDirectory, "golden", "pipelines", .. parts]);

    /// <summary>The arrays of a file as tensors of the current dispose scope.</summary>
    public static Dictionary<string, Tensor> Arrays(params ReadOnlySpan<string> parts)
        => NpzFile.Read(At(parts)).ToDictionary(array => array.Key, array => array.Value.ToTensor());

    public static double Number(this Tensor x) => x.to(float64).item<double>();

    public static void Agrees(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        double error = ((actual - expected).abs().max() / expected.abs().max()).Number();
        Assert.True(error <= tolerance, FormattableString.Invariant($"{error:G3} is more than {tolerance:G3} of the largest magnitude."));
    }
}
