using FewStep.Load;

namespace FewStep.Tests.Deploy;

public sealed class LoadRunTests : FolderTests
{
    [Fact]
    public async Task Clients_are_answered_and_their_latencies_told()
    {
        await using var server = await LoadServer.StartAsync(SamplerOnnx.Conditional().Write(_folder.File("sampler.onnx")), "4", "64", "1");
        var result = await LoadRun.ExecuteAsync(server.Address, 3, TimeSpan.FromMilliseconds(200));
        Assert.True(result.Latencies.Count >= 3 && result.Refused == 0);
        Assert.InRange(result.Percentile(0.5), result.Latencies[0], result.Percentile(0.99));
        Assert.StartsWith("| 3 | ", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_percentile_is_the_latency_that_so_many_did_not_exceed()
    {
        var result = new LoadResult(1, TimeSpan.FromSeconds(2), [.. Enumerable.Range(1, 100).Select(i => i / 1000.0)], 7);
        Assert.Equal([0.05, 0.095, 0.099], new[] { 0.5, 0.95, 0.99 }.Select(result.Percentile));
        Assert.Equal(50, result.PerSecond);
        Assert.Equal("| 1 | 50 | 50 | 95 | 99 | 7 |", result.ToString());
    }
}
