using CsCheck;
using FewStep.Tuning;
using FewStep.Noise;

namespace FewStep.Tests.Tuning;

public sealed class NodeJitterTests
{
    [Fact]
    public void Moved_schedules_keep_order_ends_and_width()
        => Gen.Select(Gen.Double[0.001, 3], Gen.Int[1, 12], Gen.Long[0, long.MaxValue]).Sample((width, steps, seed) =>
    {
        var schedule = StandardSchedules.Create("karras", steps, 0.002, 80);
        var moved = NodeJitter.Move(schedule, width, seed); // the constructor checks the order
        Assert.Equal((schedule.Sigmas[0], schedule.Sigmas[^1]), (moved.Sigmas[0], moved.Sigmas[^1]));
        Assert.All(moved.Sigmas.Zip(schedule.Sigmas), p => Assert.True(Math.Abs(Math.Log(p.First / p.Second)) <= width + 1e-12));
    });

    [Fact]
    public void Without_jitter_the_schedule_stays() => Assert.Same(TinyModel.Schedule, NodeJitter.Move(TinyModel.Schedule, 0, 1));

    [Fact]
    public void The_moves_fill_the_width_evenly()
    {
        double[] moves = [.. Enumerable.Range(0, 2000)
            .Select(seed => Math.Log(NodeJitter.Move(TinyModel.Schedule, 0.3, seed).Sigmas[1] / TinyModel.Schedule.Sigmas[1]) / 0.3)];
        Assert.InRange(moves.Average(), -0.05, 0.05);
        Assert.InRange(moves.Average(m => m * m), 1 / 3.0 - 0.03, 1 / 3.0 + 0.03);
    }
}
