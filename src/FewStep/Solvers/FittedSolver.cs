namespace FewStep.Solvers;

/// <summary>A base solver's steps with corrections that were fitted to one model on one schedule: the fitted sampler's solver. One that was
/// fitted elsewhere is none of the catalogue's, so a file of the sampler holds its weights.</summary>
internal sealed class FittedSolver : ISolver
{
    /// <summary>What every such solver's name begins with.</summary>
    public const string Prefix = "fitted";

    /// <summary>Corrections beyond this come from a fit that found nothing to hold on to.</summary>
    private const double LargestWeight = 1000, LargestShift = 100;

    private readonly SamplingSchedule _schedule;

    /// <exception cref="InvalidInputException">A correction breaks a rule; the message names step and rule.</exception>
    public FittedSolver(ISolver solver, SamplingSchedule schedule, IEnumerable<StepCorrection> corrections)
    {
        if (solver.AddsNoise)
            throw new InvalidInputException($"The solver {solver.Name} adds noise, so there is nothing to fit; fit one that adds none.");
        (Base, _schedule, Corrections) = (solver, schedule, [.. corrections]);
        if (Corrections.Length != schedule.Steps)
            throw new InvalidInputException($"There are corrections for {Corrections.Length} steps, but {schedule.Steps} steps.");
        for (int i = 0; i < Corrections.Length; i++)
            Check(i, schedule.Sigmas[i], Corrections[i]);
        HistoryLength = Math.Max(solver.HistoryLength, Corrections.Max(c => c.Differences.Length));
        Name = $"{Prefix}-{Fingerprint()}";
    }

    public ISolver Base { get; }
    public ImmutableArray<StepCorrection> Corrections { get; }
    public string Name { get; }
    public int Order => Base.Order;
    public string Description => $"{Base.Name} with corrections fitted to a model; {Base.EvaluationsPerStep} evaluations a step";
    public int HistoryLength { get; }
    public int EvaluationsPerStep => Base.EvaluationsPerStep;
    public bool ThresholdsDenoised => Base.ThresholdsDenoised;

    public void CheckSchedule(SamplingSchedule schedule)
    {
        if (!schedule.Equals(_schedule))
        {
            throw new InvalidInputException(
                $"Solver {Name} was fitted on the sigmas {_schedule}, and steps over no others; take its sampler "
                + "as it is, or fit one on the other sigmas.");
        }
    }

    public double NoiseLevel(SamplingSchedule schedule, int step) => Corrections[step].NoiseLevel ?? schedule.Sigmas[step];

    public SolverResult Step(SolverStep step)
    {
        var result = Base.Step(step.Remembering(Base.HistoryLength));
        Corrections[step.Index].AddTo(result.Next, step);
        return result;
    }

    public override bool Equals(object? obj) => obj is FittedSolver other && Base.Name == other.Base.Name
        && _schedule.Equals(other._schedule) && Corrections.SequenceEqual(other.Corrections);

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    public static bool IsPossible(double weight) => Math.Abs(weight) <= LargestWeight;

    /// <summary>Whether a network can be told a noise level at a sigma; null is the sigma itself.</summary>
    public static bool IsPossible(double? level, double sigma) =>
        level is null || (level >= sigma / LargestShift && level <= sigma * LargestShift);

    private static void Check(int step, double sigma, StepCorrection? correction)
    {
        if (correction is null || correction.Differences.IsDefault)
            throw new InvalidInputException($"Step {step} has no corrections; a step without any has an empty list of differences.");
        if (correction.Differences.Length > step)
        {
            throw new InvalidInputException(
                $"Step {step} has {correction.Differences.Length} differences of outputs, but only {step} steps lie before it.");
        }

        foreach (double weight in correction.Weights)
        {
            if (!IsPossible(weight))
            {
                throw new InvalidInputException(FormattableString.Invariant(
                    $"Step {step} has the weight {weight:R}; weights must lie between -{LargestWeight} and {LargestWeight}."));
            }
        }

        if (!IsPossible(correction.NoiseLevel, sigma))
        {
            throw new InvalidInputException(
                FormattableString.Invariant($"Step {step} tells the network the noise level {correction.NoiseLevel:R}."));
        }
    }

    // Two solvers that behave differently must have different names.
    private string Fingerprint()
    {
        List<double> numbers = [.. _schedule.Sigmas, (double)_schedule.Terminal];
        foreach (var c in Corrections)
            numbers.AddRange([c.Differences.Length, .. c.Weights, c.NoiseLevel ?? 0]);
        byte[] bytes = new byte[8 * numbers.Count];
        for (int i = 0; i < numbers.Count; i++)
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(8 * i), numbers[i]);
        return Convert.ToHexStringLower(SHA256.HashData([.. Encoding.UTF8.GetBytes(Base.Name), .. bytes]))[..8];
    }
}
