using CsCheck;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class IsotonicRegressionTests
{
    private static readonly Gen<(double Value, double Weight)[]> Data = Gen.Select(Gen.Double[-5, 5], Gen.Double[0.1, 10]).Array[1, 30];

    [Fact]
    public void ARisingSequenceIsUnchanged() =>
        Gen.Double[-5, 5].Array[1, 30].Sample(values =>
        {
            Array.Sort(values);
            Assert.Equal(values, IsotonicRegression.Fit(values, values.Select(_ => 1.0).ToArray()));
        });

    // The optimality conditions of the projection on the cone of rising sequences: y is in the cone, the residual is orthogonal to y, and
    // its inner product with every generator of the cone (all tails, and the constants in both directions) is not positive.
    [Fact]
    public void TheFitIsTheProjectionOnRisingSequences() =>
        Data.Sample(data =>
        {
            double[] v = [.. data.Select(d => d.Value)];
            double[] w = [.. data.Select(d => d.Weight)];
            double[] y = IsotonicRegression.Fit(v, w);
            double tail = 0;
            double along = 0;
            for (int k = v.Length - 1; k >= 0; k--)
            {
                Assert.True(k == 0 || y[k] >= y[k - 1]);
                tail += w[k] * (v[k] - y[k]);
                along += w[k] * (v[k] - y[k]) * y[k];
                Assert.True(tail <= 1e-9);
            }

            Assert.Equal(0, tail, 1e-9);
            Assert.Equal(0, along, 1e-8);
        });

    [Fact]
    public void ANarrowMeasurementPullsHarder() => Assert.Equal([1.75, 1.75], IsotonicRegression.Fit([2, 1], [3, 1]));

    [Fact]
    public void BadWeightsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => IsotonicRegression.Fit([1, 2], [1]));
        Assert.Throws<ArgumentException>(() => IsotonicRegression.Fit([1], [0]));
        Assert.Throws<ArgumentException>(() => IsotonicRegression.Fit([double.NaN], [1]));
    }
}
