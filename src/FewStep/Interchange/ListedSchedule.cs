using FewStep.Checkpoints;

namespace FewStep.Interchange;

/// <summary>What the numbers of a list are.</summary>
internal enum ListedNumbers
{
    Sigmas,

    /// <summary>Times of a model that was trained on whole ones, after the last of which the sampler goes on to zero.</summary>
    Timesteps,

    /// <summary>Times t of a rectified flow, in 0 to 1.</summary>
    FlowTimes,

    /// <summary>Places on the ramp of diffusers' EDMEulerScheduler.</summary>
    RampPlaces,
}

/// <summary>A schedule as a list of numbers, before it is known what they are.</summary>
/// <param name="Numbers">Two or more.</param>
/// <param name="Kind">What the words around the list say that they are; null where those say nothing.</param>
/// <param name="Denoises">Whether there is a last denoise: a last zero, or words that say so.</param>
/// <param name="Shift">Of flow times: the shift that they are written before; null where the words say none.</param>
internal sealed record ListedSchedule(IReadOnlyList<double> Numbers, ListedNumbers? Kind, bool Denoises, double? Shift = null)
{
    private const double LargerThanSigmas = 100;

    /// <summary>Whether the numbers could be flow times: as sigmas they would make a schedule that begins at hardly any noise.</summary>
    public bool MayBeFlowTimes => Numbers.All(n => n is >= 0 and <= 1);

    /// <summary>Whether the numbers could be timesteps: whole, and of the model, or larger than sigmas are where nothing is known of
    /// it.</summary>
    public bool MayBeTimesteps(NoiseFamily? family) => Numbers.All(n => n == Math.Floor(n) && n >= 0) && family switch
    {
        null => Numbers[0] >= LargerThanSigmas,
        NoiseFamily.Timesteps { Noise: var noise } => Numbers[0] < noise.Sigmas.Length,
        _ => false,
    };

    /// <summary>Whether numbers that may be timesteps are beyond the sigmas of the model.</summary>
    public bool MustBeTimesteps(NoiseFamily? family)
        => family is NoiseFamily.Timesteps { Noise: var noise } && Numbers[0] > noise.Sigmas[^1] * 1.01;

    private IEnumerable<double> WithoutZero => Numbers[^1] == 0 ? Numbers.SkipLast(1) : Numbers;
    private ScheduleTerminal Terminal => Denoises ? ScheduleTerminal.Zero : ScheduleTerminal.SigmaMin;

    public SamplingSchedule Sigmas() => new(WithoutZero, Terminal);

    public SamplingSchedule Timesteps(DiscreteVpNoise noise)
    {
        int last = noise.Sigmas.Length - 1;
        Check("Timestep", last, $"those of {noise.Name} are 0 to {last}");
        return new SamplingSchedule(Numbers.Select(t => Sigma(t, noise)), ScheduleTerminal.Zero);
    }

    /// <param name="largest">The model's largest sigma, which t = 1 stands for; null where it is not known.</param>
    /// <param name="shift">The shift that a scheduler applies to what it is given; null for what the words say, else none.</param>
    public SamplingSchedule FlowTimes(double? largest, double? shift)
    {
        Check("Flow time", 1, "they are 0 to 1");
        double Sigma(double t) => t < 1 ? FlowTime.Sigma(FlowTime.Shifted(t, shift ?? Shift ?? 1))
            : largest ?? throw new InvalidInputException(
                "The flow time 1 is an infinite sigma, and the model's largest one is not known; name the model, or its largest sigma.");
        return new SamplingSchedule(WithoutZero.Select(Sigma), Terminal);
    }

    public SamplingSchedule RampPlaces()
    {
        Check("Place", 1, "they are 0 to 1");
        return new SamplingSchedule(Numbers.Select(DiffusersExport.SigmaAt), ScheduleTerminal.Zero);
    }

    private void Check(string what, double largest, string rule)
    {
        for (int i = 0; i < Numbers.Count; i++)
        {
            if (!(Numbers[i] >= 0) || !(Numbers[i] <= largest))
                throw new InvalidInputException($"{what} {i} is {Numbers[i]:R}; {rule}.");
        }
    }

    private static double Sigma(double time, DiscreteVpNoise noise)
    {
        int below = (int)Math.Floor(time);
        double rest = time - below;
        return rest == 0 ? noise.Sigmas[below]
            : Math.Exp(((1 - rest) * Math.Log(noise.Sigmas[below])) + (rest * Math.Log(noise.Sigmas[below + 1])));
    }
}
