using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>A fitted sampler as a vector: logarithms of the inner sigmas, of the told noise levels relative to the sigmas, and the
/// corrections' weights, step by step.</summary>
internal sealed class FitParameters
{
    private readonly SamplingSchedule _schedule;
    private readonly int[] _differences; // of each step
    private readonly FitCorrections _kinds;

    public FitParameters(SamplingSchedule schedule, IReadOnlyList<StepCorrection> corrections, FitCorrections kinds)
    {
        (_schedule, _kinds, _differences) = (schedule, kinds, [.. corrections.Select(c => c.Differences.Length)]);
        List<double> values = [.. schedule.Sigmas[1..^1].Select(Math.Log)];
        List<int> steps = [.. Enumerable.Range(0, values.Count)]; // sigma_(i+1) is met at the end of step i
        List<bool> changes = [.. values.Select(_ => false)];
        for (int i = 0; i < corrections.Count; i++)
        {
            var c = corrections[i];
            values.AddRange([Math.Log((c.NoiseLevel ?? schedule.Sigmas[i]) / schedule.Sigmas[i]), .. Weights(c)]);
            changes.AddRange(Enumerable.Range(0, values.Count - steps.Count).Select(k => k == 0));
            steps.AddRange(Enumerable.Repeat(i, values.Count - steps.Count));
        }

        (Values, Steps, ChangesOutput) = ([.. values], [.. steps], [.. changes]);
    }

    public double[] Values { get; }

    /// <summary>The first step that each value changes.</summary>
    public int[] Steps { get; }

    /// <summary>Whether each value changes the output of its step, and not only what follows from it: the told noise levels.</summary>
    public bool[] ChangesOutput { get; }

    /// <summary>The sampler of other values; null where they are none: sigmas out of order, or weights or told
    /// noise levels out of bounds.</summary>
    public FittedSolver? Solver(ISolver solver, double[] values, out SamplingSchedule schedule)
    {
        schedule = _schedule;
        double[] sigmas = [_schedule.Sigmas[0], .. values[..(_schedule.Steps - 1)].Select(Math.Exp), _schedule.Sigmas[^1]];
        for (int i = 1; i < sigmas.Length; i++)
        {
            if (!(sigmas[i] < sigmas[i - 1]))
                return null;
        }

        schedule = new SamplingSchedule(sigmas, _schedule.Terminal);
        var corrections = new StepCorrection[_schedule.Steps];
        for (int i = 0, at = _schedule.Steps - 1; i < corrections.Length; at += Length(i++))
        {
            int next = at + 1;
            double One(FitCorrections kind) => _kinds.HasFlag(kind) ? values[next++] : 0;
            corrections[i] = new StepCorrection
            {
                NoiseLevel = values[at] == 0 ? null : sigmas[i] * Math.Exp(values[at]),
                Differences = [.. values[next..(next += _differences[i])]],
                Slope = One(FitCorrections.Slope),
                Scale = One(FitCorrections.Scale),
            };
            if (!corrections[i].Weights.All(FittedSolver.IsPossible) || !FittedSolver.IsPossible(corrections[i].NoiseLevel, sigmas[i]))
                return null;
        }

        return new FittedSolver(solver, schedule, corrections);
    }

    private int Length(int step) =>
        1 + _differences[step] + (_kinds.HasFlag(FitCorrections.Slope) ? 1 : 0) + (_kinds.HasFlag(FitCorrections.Scale) ? 1 : 0);

    private IEnumerable<double> Weights(StepCorrection c) =>
    [
        .. c.Differences,
        .. _kinds.HasFlag(FitCorrections.Slope) ? [c.Slope] : Array.Empty<double>(),
        .. _kinds.HasFlag(FitCorrections.Scale) ? [c.Scale] : Array.Empty<double>(),
    ];
}
