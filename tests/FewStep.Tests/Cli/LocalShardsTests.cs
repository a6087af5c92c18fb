using FewStep.Cli.Terminal;
using FewStep.Cli.Verbs;

namespace FewStep.Tests.Cli;

public sealed class LocalShardsTests
{
    [Theory]
    [InlineData(3, null, 0, "- - -")]
    [InlineData(2, "", 0, "- -")]
    [InlineData(5, null, 2, "0 1 0 1 0")]
    [InlineData(1, null, 4, "0")]
    [InlineData(4, "3,1", 2, "3 1 3 1")]
    [InlineData(3, "GPU-5e1f, GPU-90ab", 2, "GPU-5e1f GPU-90ab GPU-5e1f")]
    [InlineData(4, "0,1,-1,2", 2, "0 1 0 1")] // CUDA sees none from -1 on
    public void Each_worker_sees_one_gpu_in_turn(int workers, string? named, int there, string seen)
    {
        string[] gpus = LocalShards.Gpus(named, there);
        var environments = Enumerable.Range(0, workers).Select(place => LocalShards.EnvironmentOf(place, gpus)).ToList();
        Assert.Equal(seen, string.Join(' ', environments.Select(own => own.GetValueOrDefault("CUDA_VISIBLE_DEVICES", "-"))));
        Assert.All(environments, own => Assert.Equal("1", own[WorkerProcess.Variable]));
    }
}
