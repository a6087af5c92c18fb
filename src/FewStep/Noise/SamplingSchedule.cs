namespace FewStep.Noise;

/// <summary>The decreasing noise levels that a sampler visits: N steps are N+1 sigmas, the last above zero.</summary>
/// <remarks>Not to be mixed up with a noise schedule, which is the sigma(t) of a model.</remarks>
public sealed class SamplingSchedule : IEquatable<SamplingSchedule>
{
    /// <summary>Creates a schedule from explicit sigmas, which are kept exactly as given.</summary>
    /// <param name="sigmas">At least two finite, positive, strictly decreasing noise levels.</param>
    /// <param name="terminal">What happens at the last sigma; default <see cref="ScheduleTerminal.SigmaMin"/>.</param>
    /// <exception cref="InvalidInputException">A sigma breaks the rule; the message names index, value and rule.</exception>
    public SamplingSchedule(IEnumerable<double> sigmas, ScheduleTerminal terminal = ScheduleTerminal.SigmaMin)
    {
        Sigmas = [.. sigmas];
        Terminal = terminal;
        if (Sigmas.Length < 2)
            throw new InvalidInputException($"A sampling schedule needs at least 2 sigmas (1 step), not {Sigmas.Length}.");
        for (int i = 0; i < Sigmas.Length; i++)
        {
            if (!double.IsFinite(Sigmas[i]) || Sigmas[i] <= 0)
            {
                throw new InvalidInputException($"Sigmas must be finite and above 0: sigma[{i}] = {Sigmas[i]:R}. For a last step to zero "
                    + "use the terminal rule 'zero'.");
            }

            if (i > 0 && !(Sigmas[i] < Sigmas[i - 1]))
                throw new InvalidInputException($"Sigmas must decrease: sigma[{i}] = {Sigmas[i]:R}, sigma[{i - 1}] = {Sigmas[i - 1]:R}.");
        }
    }

    /// <summary>The N+1 noise levels, strictly decreasing, all above zero.</summary>
    public ImmutableArray<double> Sigmas { get; }

    /// <summary>Number of solver steps N.</summary>
    public int Steps => Sigmas.Length - 1;

    /// <summary>What happens at the last sigma.</summary>
    public ScheduleTerminal Terminal { get; }

    /// <summary>The sigmas to the last bit, as text; what identities are made of.</summary>
    internal string ExactSigmas => string.Join(' ', Sigmas.Select(s => s.ToString("R", CultureInfo.InvariantCulture)));

    /// <summary>Whether the sigmas are the same to the last bit, and the terminal rule too.</summary>
    public bool Equals(SamplingSchedule? other)
        => other is not null && Terminal == other.Terminal && Sigmas.AsSpan().SequenceEqual(other.Sigmas.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SamplingSchedule);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Sigmas.Length, Sigmas[0], Sigmas[Sigmas.Length / 2], Terminal);

    /// <inheritdoc/>
    public override string ToString()
        => string.Join(", ", Sigmas.Select(s => s.ToString("G5", CultureInfo.InvariantCulture)));
}

/// <summary>What happens at the last sigma of a sampling schedule.</summary>
public enum ScheduleTerminal
{
    /// <summary>The sample is the state at the last sigma; N steps cost a first-order solver N network evaluations.</summary>
    SigmaMin,

    /// <summary>The denoiser is applied once more at the last sigma, and its output is the sample (EDM's final step to sigma =
    /// 0).</summary>
    Zero,
}
