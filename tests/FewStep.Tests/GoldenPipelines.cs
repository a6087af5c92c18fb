using FewStep.Checkpoints;

namespace FewStep.Tests;

/// <summary>Tiny pipelines in the layouts of published ones, with outputs of the reference implementations
/// (golden/pipelines/README.md).</summary>
internal static class GoldenPipelines
{
    /// <summary>A file or folder of them.</summary>
    public static string At(params ReadOnlySpan<string> parts) => Path.Combine([AppContext.BaseDirectory, "golden", "pipelines", .. parts]);

    /// <summary>The arrays of a file, as tensors of the current dispose scope.</summary>
    public static Dictionary<string, Tensor> Arrays(string path)
        => NpzFile.Read(path).ToDictionary(array => array.Key, array => array.Value.ToTensor());

    /// <summary>The largest difference, relative to the largest magnitude of what is expected.</summary>
    public static double Difference(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        return (expected.to(float64) - actual.to(float64)).abs().max().item<double>() / expected.abs().max().to(float64).item<double>();
    }
}
