using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class LearningRateScheduleTests
{
    private readonly LearningRateSchedule _schedule = new(Peak: 2, WarmUp: 10, Total: 110, FinalFraction: 0.1);

    [Fact]
    public void It_rises_to_the_peak_and_falls_to_the_final_fraction()
    {
        Assert.InRange(_schedule.At(0), 1e-9, 0.2);
        Assert.Equal(2, _schedule.At(10), 12);
        Assert.Equal(2 * (0.1 + 0.9 / 2), _schedule.At(60), 12);
        Assert.Equal(0.2, _schedule.At(110), 12);
        Assert.Equal(0.2, _schedule.At(1000), 12);
        Assert.True(Enumerable.Range(0, 10).All(i => _schedule.At(i) < _schedule.At(i + 1)));
        Assert.True(Enumerable.Range(10, 100).All(i => _schedule.At(i) > _schedule.At(i + 1)));
    }
}
