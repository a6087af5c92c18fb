using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>How much a student errs on each interval of its schedule, from the teacher's states: what the next round of an alternation
/// moves the sigmas by.</summary>
internal static class IntervalResiduals
{
    /// <summary>Measures on held-out latents.</summary>
    /// <returns>For each of the N steps the mean square of a value of where the student lands, less the teacher's state there.</returns>
    public static double[] Measure(IDenoiser student, Sampler sampler, TeacherPath teacher, TuningOptions options,
        CancellationToken cancellation)
    {
        using var inference = no_grad();
        var steps = new StudentSteps(sampler);
        double[] sums = new double[sampler.Steps];
        for (int start = 0; start < options.HeldOutCount; start += options.EvaluationBatch)
        {
            using var scope = NewDisposeScope();
            long[] seeds = SeedPlan.HeldOut(start, Math.Min(options.EvaluationBatch, options.HeldOutCount - start));
            var labels = SeedLabels.For(seeds, student.Classes, device: student.Device);
            var states = teacher.Solve(Latents.Draw(seeds, student.Shape, device: student.Device), labels, cancellation);
            IReadOnlyList<PastStep> past = [];
            for (int i = 0; i < sampler.Steps; i++)
            {
                (var landed, past) = steps.Step(i, states[i], student.Denoise(states[i], steps.Told(i, states[i]), labels), past);
                sums[i] += PairedDistance.MeanSquares(landed - states[i + 1]).Sum();
            }
        }

        return [.. sums.Select(s => s / options.HeldOutCount)];
    }

    /// <summary>Moves the inner sigmas half the way, in ln sigma, to where the intervals' errors would be equal if each interval's were
    /// spread evenly over it.</summary>
    public static SamplingSchedule Equalized(SamplingSchedule schedule, IReadOnlyList<double> residuals)
    {
        double[] errors = [.. residuals.Select(Math.Sqrt)], logs = [.. schedule.Sigmas.Select(Math.Log)];
        double each = errors.Sum() / errors.Length;
        if (!(each > 0) || !double.IsFinite(each))
            return schedule;
        double[] sigmas = [.. schedule.Sigmas];
        int interval = 0;
        double before = 0; // errors of the intervals passed
        for (int i = 1; i < schedule.Steps; i++)
        {
            while (interval < errors.Length - 1 && before + errors[interval] < i * each)
                before += errors[interval++];
            double share = Math.Clamp(((i * each) - before) / errors[interval], 0, 1);
            double wanted = logs[interval] + (share * (logs[interval + 1] - logs[interval]));
            sigmas[i] = Math.Exp((wanted + logs[i]) / 2);
        }

        return new SamplingSchedule(sigmas, schedule.Terminal);
    }
}
