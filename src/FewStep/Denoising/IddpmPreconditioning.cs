using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>Preconditioning of networks trained on the cosine schedule of Nichol and Dhariwal (2102.09672) as noise predictors of M discrete levels; EDM (2206.00364), table 1, column iDDPM.</summary>
/// <remarks>The network only knows its own levels: a sigma between two of them is given the label of the nearer one.</remarks>
public sealed class IddpmPreconditioning : IPreconditioning
{
    private readonly double[] _levels;
    private readonly DeviceTable _table;

    /// <summary>Creates the preconditioning.</summary>
    /// <param name="smallestAlpha">C_1: lower limit of alpha between two levels, default 0.001, in (0, 1).</param>
    /// <param name="cosineOffset">C_2: offset of the cosine schedule, default 0.008, at least 0.</param>
    /// <param name="levels">Number of levels M, default 1000.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public IddpmPreconditioning(double smallestAlpha = 0.001, double cosineOffset = 0.008, int levels = 1000)
    {
        if (!(smallestAlpha is > 0 and < 1) || !(cosineOffset is >= 0 and <= 10) || levels is < 2 or > 100_000)
        {
            throw new InvalidInputException($"iDDPM preconditioning needs C_1 in (0, 1), C_2 in [0, 10] and M in 2..100000, not {smallestAlpha}, {cosineOffset}, {levels}.");
        }

        (SmallestAlpha, CosineOffset, Levels) = (smallestAlpha, cosineOffset, levels);

        // u_M = 0 is no level of the network; u_{j-1}^2 + 1 = (u_j^2 + 1) / max(alpha-bar_{j-1} / alpha-bar_j, C_1) upwards from there.
        _levels = new double[levels];
        double u = 0;
        for (int j = levels; j > 0; j--)
        {
            u = Math.Sqrt((u * u + 1) / Math.Max(AlphaBar(j - 1) / AlphaBar(j), smallestAlpha) - 1);
            _levels[j - 1] = u;
        }

        _table = new DeviceTable(_levels);
        SigmaLimits.Check("iDDPM", SigmaMin, SigmaMax);
    }

    /// <summary>C_1: lower limit of alpha between two levels.</summary>
    public double SmallestAlpha { get; }

    /// <summary>C_2: offset of the cosine schedule.</summary>
    public double CosineOffset { get; }

    /// <summary>Number of levels M.</summary>
    public int Levels { get; }

    /// <summary>The noise levels that the network was trained on, decreasing.</summary>
    public IReadOnlyList<double> NoiseLevels => _levels;

    /// <inheritdoc/>
    public double SigmaMin => _levels[^1];

    /// <inheritdoc/>
    public double SigmaMax => _levels[0];

    /// <inheritdoc/>
    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        var nearest = (sigma.to(ScalarType.Float64).unsqueeze(1) - _table.On(sigma.device)).abs_().argmin(1);
        return new(ones_like(sigma), -sigma, (sigma * sigma).Plus(1).rsqrt(), nearest.negative().Plus(Levels - 1).to(sigma.dtype));
    }

    private double AlphaBar(int j)
    {
        double sine = Math.Sin(Math.PI / 2 * j / Levels / (CosineOffset + 1));
        return sine * sine;
    }
}
