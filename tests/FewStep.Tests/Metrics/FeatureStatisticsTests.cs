using CsCheck;
using FewStep.Metrics;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class FeatureStatisticsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void A_small_set_has_the_moments_worked_out_by_hand()
    {
        using var statistics = new FeatureStatistics(2);
        statistics.Add(tensor(new float[,] { { 1, 2 }, { 3, 6 } }));
        statistics.Add(tensor(new float[,] { { 5, 1 } }));
        Assert.Equal(3, statistics.Count);
        Assert.Equal([3, 3], Values(statistics.Mean()));
        Assert.Equal([4, -1, -1, 7], Values(statistics.Covariance()), Near);
    }

    [Fact]
    public void Any_batching_gives_the_statistics_of_the_whole()
    {
        // A mean of 1e4 against a spread of 1 would lose eight digits to a sum-of-squares formula.
        var all = randn([90, 5], ScalarType.Float64, generator: new Generator(8)) + 1e4;
        using var whole = new FeatureStatistics(5);
        whole.Add(all);
        Gen.Int[0, 90].Array[3].Sample(cuts =>
        {
            using var scope = NewDisposeScope();
            int[] edges = [0, .. cuts.Order(), 90];
            using var parts = new FeatureStatistics(5);
            for (int i = 0; i < 4; i++)
                parts.Add(all.narrow(0, edges[i], edges[i + 1] - edges[i]));
            Assert.Equal(90, parts.Count);
            Assert.Equal(Values(whole.Mean()), Values(parts.Mean()), Near);
            Assert.Equal(Values(whole.Covariance()), Values(parts.Covariance()), Near);
        }, iter: 30, threads: 1);
        Assert.Equal(Values(cov(all.t())), Values(whole.Covariance()), Near);
    }

    [Fact]
    public void Moments_survive_a_round_trip()
    {
        using var statistics = new FeatureStatistics(3);
        statistics.Add(randn([20, 3], generator: new Generator(2)));
        using var again = FeatureStatistics.FromMoments(statistics.Count, statistics.Mean(), statistics.Covariance());
        Assert.Equal(20, again.Count);
        Assert.Equal(Values(statistics.Mean()), Values(again.Mean()));
        Assert.Equal(Values(statistics.Covariance()), Values(again.Covariance()), Near);
    }

    [Fact]
    public void They_outlive_dispose_scopes_and_leave_no_tensors_behind()
    {
        using var statistics = new FeatureStatistics(4);
        var features = randn(6, 4);
        statistics.Add(features);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 5; i++)
        {
            statistics.Add(features);
            Assert.True(FrechetDistance.Between(statistics, statistics) < 1e-9);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(36, statistics.Count);
    }

    [Fact]
    public void Bad_features_are_refused()
    {
        using var statistics = new FeatureStatistics(2);
        Assert.Throws<ArgumentException>(() => statistics.Add(zeros(3, 5)));
        var e = Assert.Throws<InvalidInputException>(() => statistics.Add(tensor(new float[,] { { 1, float.NaN } })));
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(0, statistics.Count);
        Assert.Throws<InvalidOperationException>(statistics.Mean);
        Assert.Throws<InvalidOperationException>(statistics.Covariance);
        Assert.Throws<InvalidInputException>(() => FeatureStatistics.FromMoments(1, zeros(2), eye(2)));
        Assert.Throws<InvalidInputException>(() => FeatureStatistics.FromMoments(9, zeros(2), eye(3)));
        Assert.Throws<InvalidInputException>(() => FeatureStatistics.FromMoments(9, zeros(2), -eye(2)));
        Assert.Throws<InvalidInputException>(
            () => FeatureStatistics.FromMoments(9, zeros(2), tensor(new float[,] { { 1, 0.5f }, { 0, 1 } })));
    }

    private static double[] Values(Tensor x) => x.reshape(-1).data<double>().ToArray();

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-9 * (1 + Math.Abs(a));
}
