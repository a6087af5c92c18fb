using CsCheck;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class LagrangeExponentialTests
{
    [Theory]
    [InlineData(0.01)]
    [InlineData(0.7)]
    [InlineData(3)]
    [InlineData(10.6)]
    public void PolynomialsUnderTheExponentialAreIntegratedExactly(double step)
    {
        double from = -1.3, to = from + step;
        double[] nodes = [from, from - 0.4, from - 1.1];
        var weights = new double[3];
        LagrangeExponential.Weights(from, to, nodes, weights);
        Assert.Equal(1 - Math.Exp(-step), weights.Sum(), 1e-13);
        // The integral of e^(u - h) u^m over [0, h]: I_0 = 1 - e^-h, I_m = h^m - m I_(m-1), with u = lambda - from.
        double first = step - (1 - Math.Exp(-step));
        double second = (step * step) - (2 * first);
        Assert.Equal(first, weights.Zip(nodes, (w, l) => w * (l - from)).Sum(), 1e-12);
        Assert.Equal(second, weights.Zip(nodes, (w, l) => w * (l - from) * (l - from)).Sum(), 1e-12);
    }

    [Fact]
    public void ThreeStepsMakeTheClosedFormsOfTheBound() => Gen.Double[0.05, 2].Array[5].Sample(gaps =>
    {
        // Order 3 over five steps, by the closed integrals of e^h h^m (Xue et al. 2024).
        double[] lambda = [-2, -2 + gaps[0], -2 + gaps[..2].Sum(), -2 + gaps[..3].Sum(), -2 + gaps[..4].Sum(), -2 + gaps.Sum()];
        double[] h = gaps, e = [.. lambda.Select(Math.Exp)], d = [.. lambda.Select(l => Math.Exp(-l))]; // power 1: the error is sigma
        double H0(double x) => Math.Exp(x) - 1;
        double H1(double x) => (Math.Exp(x) * x) - H0(x);
        double H2(double x) => (Math.Exp(x) * x * x) - (2 * H1(x));
        double firstStep = d[0] * (e[1] - e[0]);
        double last = d[4] * (e[5] - e[4]);
        double second = Root(-d[0] * e[1] * H1(h[1]) / h[0], d[1] * e[1] * (H1(h[1]) + (h[0] * H0(h[1]))) / h[0]);
        double third = Root(
            d[0] * e[2] * (H2(h[2]) + (h[1] * H1(h[2]))) / (h[0] * (h[0] + h[1])),
            -d[1] * e[2] * (H2(h[2]) + ((h[0] + h[1]) * H1(h[2]))) / (h[0] * h[1]),
            d[2] * e[2] * (H2(h[2]) + (((2 * h[1]) + h[0]) * H1(h[2])) + (h[1] * (h[0] + h[1]) * H0(h[2]))) / (h[1] * (h[0] + h[1])));
        double fourth = Math.Abs(d[2] * e[3] * H1(h[3]) / h[2]) + Math.Abs(d[3] * e[3] * (H1(h[3]) + (h[2] * H0(h[3]))) / h[2]);
        double expected = firstStep + second + third + fourth + last;
        return Math.Abs((new DmNonUniformObjective(3, 1).Evaluate(lambda) / expected) - 1) < 1e-9;
    }, iter: 100);

    private static double Root(params double[] terms) => Math.Sqrt(terms.Sum(t => t * t));
}
