using FewStep.Denoising;
using FewStep.Noise;

namespace FewStep.Tests.Onnx;

/// <summary>ONNX models of Gaussian data N(0, c^2 I), whose outputs are known: each is its input times a factor of the noise
/// level.</summary>
internal static class GaussianOnnx
{
    public const double C = 0.7;

    public static readonly ImageShape Shape = new(2, 3, 2);

    /// <summary>A model of whole times that looks its factor up in a table.</summary>
    /// <param name="noise">The noise.</param>
    /// <param name="factor">Output over x_t at a noise level.</param>
    /// <param name="batch">Fixed batch; null for any.</param>
    /// <param name="times">Size of the time input; null for one an image.</param>
    public static OnnxFile Discrete(DiscreteVpNoise noise, Func<double, double> factor, int? batch = null, int? times = null)
        => new OnnxFile()
        .Input("sample", OnnxFile.Float, batch, Shape.Channels, Shape.Height, Shape.Width)
        .Input("timestep", OnnxFile.Int64, times)
        .Output("out_sample", batch, Shape.Channels, Shape.Height, Shape.Width)
        .Floats("table", [noise.Sigmas.Length], [.. noise.Sigmas.Select(s => (float)factor(s))])
        .Integers("column", [4], -1, 1, 1, 1)
        .Node("Gather", "k", "table", "timestep")
        .Node("Reshape", "column_k", "k", "column")
        .Node("Mul", "out_sample", "sample", "column_k");

    // x_t = x / sqrt(1 + s^2), D = c^2 / (c^2 + s^2) x.
    public static double Epsilon(double s) => s * Math.Sqrt(1 + s * s) / (C * C + s * s);

    public static double Sample(double s) => C * C * Math.Sqrt(1 + s * s) / (C * C + s * s);

    // v = alpha n - sigma x0 with alpha = 1 / sqrt(1 + s^2), sigma = s alpha.
    public static double V(double s) => (Epsilon(s) - s * Sample(s)) / Math.Sqrt(1 + s * s);

    /// <summary>A model that is told sigma: D = x c^2 / (c^2 + sigma^2).</summary>
    /// <param name="batch">Fixed batch; null for any.</param>
    /// <param name="sigmas">Size of the sigma input; null for one an image.</param>
    /// <param name="type">Element type of sigma.</param>
    public static OnnxFile Denoised(int? batch = null, int? sigmas = null, int type = OnnxFile.Float) => new OnnxFile()
        .Input("x", OnnxFile.Float, batch, Shape.Channels, Shape.Height, Shape.Width)
        .Input("sigma", type, sigmas)
        .Output("denoised", batch, Shape.Channels, Shape.Height, Shape.Width)
        .Floats("c2", [1], (float)(C * C))
        .Integers("column", [4], -1, 1, 1, 1)
        .CastToFloat("s", "sigma")
        .Node("Mul", "s2", "s", "s")
        .Node("Add", "total", "s2", "c2")
        .Node("Div", "k", "c2", "total")
        .Node("Reshape", "column_k", "k", "column")
        .Node("Mul", "denoised", "x", "column_k");

    /// <summary>A rectified flow that is told t: u = x_t (t - c^2 (1 - t)) / (c^2 (1 - t)^2 + t^2).</summary>
    public static OnnxFile Flow() => new OnnxFile()
        .Input("x", OnnxFile.Float, null, Shape.Channels, Shape.Height, Shape.Width)
        .Input("t", OnnxFile.Float, [null])
        .Output("velocity", null, Shape.Channels, Shape.Height, Shape.Width)
        .Floats("one", [1], 1)
        .Floats("c2", [1], (float)(C * C))
        .Integers("column", [4], -1, 1, 1, 1)
        .Node("Sub", "r", "one", "t")
        .Node("Mul", "c2r", "c2", "r")
        .Node("Sub", "above", "t", "c2r")
        .Node("Mul", "c2rr", "c2r", "r")
        .Node("Mul", "tt", "t", "t")
        .Node("Add", "below", "c2rr", "tt")
        .Node("Div", "k", "above", "below")
        .Node("Reshape", "column_k", "k", "column")
        .Node("Mul", "velocity", "x", "column_k");

    /// <summary>The exact denoiser of the same data.</summary>
    public static GaussianMixtureDenoiser Exact() => GaussianMixtureDenoiser.Gaussian(Shape, 0, C);
}
