using FewStep.Search;

namespace FewStep.Tests.Search;

/// <summary>The exact loss curve of Gaussian data of standard deviation c: L = c^2 s^2 / (c^2 + s^2).</summary>
internal sealed class GaussianLossCurve(double c) : ILossCurve
{
    public double Loss(double sigma) => c * c * sigma * sigma / ((c * c) + (sigma * sigma));

    public double Derivative(double sigma)
    {
        double v = (c * c) + (sigma * sigma);
        return 2 * c * c * c * c * sigma / (v * v);
    }

    /// <summary>The integral of L dg in closed form for powers 0, 1 and 2.</summary>
    public double Integral(double power, double from, double to) => power switch
    {
        0 => 0.5 * c * c * Math.Log(((c * c) + (from * from)) / ((c * c) + (to * to))),
        1 => c * (Math.Atan(from / c) - Math.Atan(to / c)),
        2 => Math.Log(from * from / ((c * c) + (from * from))) - Math.Log(to * to / ((c * c) + (to * to))),
        _ => throw new ArgumentOutOfRangeException(nameof(power)),
    };
}
