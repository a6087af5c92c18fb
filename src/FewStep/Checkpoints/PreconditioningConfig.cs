namespace FewStep.Checkpoints;

/// <summary>The preconditioning part of a <see cref="ModelConfig"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PreconditioningConfig
{
    public const string Edm = "edm";

    /// <summary>Of networks trained on discrete variance-preserving noise levels.</summary>
    public const string Discrete = "discrete";

    public const string Consistency = "consistency";

    /// <summary>Of rectified flows.</summary>
    public const string Flow = "flow";

    /// <summary><c>edm</c>, <c>vp</c>, <c>ve</c>, <c>iddpm</c>, <c>discrete</c>, <c>consistency</c> or <c>flow</c>.</summary>
    public string Kind { get; init; } = Edm;

    /// <summary>Of <c>edm</c> and <c>consistency</c>: standard deviation of the data, default 0.5.</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Of <c>edm</c>, <c>ve</c>, <c>consistency</c> and <c>flow</c>: smallest noise level, default 0.002; other kinds derive
    /// theirs.</summary>
    public double SigmaMin { get; init; } = 0.002;

    /// <summary>Of <c>edm</c>, <c>ve</c>, <c>consistency</c> and <c>flow</c>: largest noise level, default 80; the other kinds derive
    /// theirs.</summary>
    public double SigmaMax { get; init; } = 80;

    /// <summary>Of <c>edm</c>: factor of the noise label; null is 1.</summary>
    public double? NoiseLabelScale { get; init; }

    /// <summary>Of <c>vp</c>: slope of beta; null is 19.9.</summary>
    public double? BetaD { get; init; }

    /// <summary>Of <c>vp</c>: beta at time 0; null is 0.1.</summary>
    public double? BetaMin { get; init; }

    /// <summary>Of <c>vp</c>: time of the smallest noise level; null is 1e-5.</summary>
    public double? SmallestTime { get; init; }

    /// <summary>Of <c>vp</c>, <c>iddpm</c> and <c>discrete</c>: number of time steps; null is 1000.</summary>
    public int? TimeSteps { get; init; }

    /// <summary>Of <c>iddpm</c>: lower limit of alpha between two levels; null is 0.001.</summary>
    public double? SmallestAlpha { get; init; }

    /// <summary>Of <c>iddpm</c>: offset of the cosine schedule; null is 0.008.</summary>
    public double? CosineOffset { get; init; }

    /// <summary>Of <c>discrete</c>: the noise, one of <see cref="DiscreteVpNoise.Names"/>; null is
    /// <see cref="DiscreteVpNoise.LinearName"/>.</summary>
    public string? Noise { get; init; }

    /// <summary>Of <c>discrete</c>: first beta; null is the noise's usual one.</summary>
    public double? BetaStart { get; init; }

    /// <summary>Of <c>discrete</c>: last beta; null is the noise's usual one.</summary>
    public double? BetaEnd { get; init; }

    /// <summary>Of <c>discrete</c> and <c>iddpm</c>: the noise levels themselves, increasing, in place of a formula; null for the
    /// formula.</summary>
    public IReadOnlyList<double>? Sigmas { get; init; }

    /// <summary>Of <c>discrete</c>: the time that the network is told between two levels; null is that of the nearest level.</summary>
    public TimeRounding? TimeRounding { get; init; }

    /// <summary>Of <c>discrete</c> and <c>flow</c>: factor of the time in the noise label; null is 1.</summary>
    public double? TimeScale { get; init; }

    /// <summary>Of <c>flow</c>: whether the network's time and velocity run from the noise to the image; null is false.</summary>
    public bool? FromNoise { get; init; }

    /// <summary>Of <c>discrete</c> and <c>edm</c>: what the network predicts; null is <see cref="NetworkPrediction.Epsilon"/>, which EDM's
    /// own output counts as.</summary>
    public NetworkPrediction? Prediction { get; init; }

    /// <summary>Of <c>discrete</c>: whether the noise is rescaled to end without any signal
    /// (<see cref="DiscreteVpNoise.WithZeroTerminalSnr"/>); null is false.</summary>
    public bool? ZeroTerminalSnr { get; init; }

    /// <summary>Of <c>discrete</c>: <see cref="DiscreteVpPreconditioning.BoundaryScale"/> of a latent consistency model; null for
    /// others.</summary>
    public double? BoundaryScale { get; init; }

    public IPreconditioning Build() => Kind switch
    {
        Edm when Prediction == NetworkPrediction.Sample => throw new InvalidInputException(
            "Preconditioning edm with the prediction sample is not known; known are epsilon and v."),
        Edm => new EdmPreconditioning(SigmaData, SigmaMin, SigmaMax, NoiseLabelScale ?? 1, Prediction == NetworkPrediction.V),
        "vp" => new VpPreconditioning(BetaD ?? 19.9, BetaMin ?? 0.1, TimeSteps ?? 1000, SmallestTime ?? 1e-5),
        "ve" => new VePreconditioning(SigmaMin, SigmaMax),
        "iddpm" => new DiscreteVpPreconditioning(Sigmas is null
            ? DiscreteVpNoise.Iddpm(SmallestAlpha ?? 0.001, CosineOffset ?? 0.008, TimeSteps ?? 1000)
            : DiscreteVpNoise.Of("iDDPM", Sigmas)),
        Discrete when ZeroTerminalSnr == true && Prediction is null or NetworkPrediction.Epsilon => throw new InvalidInputException(
            "Preconditioning discrete with zero_terminal_snr needs the prediction v or sample: where there is no signal the noise says "
                + "nothing of the image."),
        Discrete => new DiscreteVpPreconditioning(DiscreteNoise(),
            Prediction ?? NetworkPrediction.Epsilon, TimeRounding ?? FewStep.Noise.TimeRounding.NearestSigma, TimeScale ?? 1)
        {
            BoundaryScale = BoundaryScale is null or (> 0 and <= SigmaLimits.Largest) ? BoundaryScale : throw new InvalidInputException(
                $"Preconditioning discrete needs a boundary_scale above 0 and at most {SigmaLimits.Largest}, not {BoundaryScale}."),
        },
        Consistency => EdmPreconditioning.Consistency(SigmaData, SigmaMin, SigmaMax),
        Flow => new FlowPreconditioning(TimeScale ?? 1, FromNoise ?? false, SigmaMin, SigmaMax),
        _ => throw new InvalidInputException(
            $"Preconditioning {Printable.Text(Kind)} is not known; known: edm, vp, ve, iddpm, discrete, consistency, flow."),
    };

    private DiscreteVpNoise DiscreteNoise()
    {
        var noise = Sigmas is null ? DiscreteVpNoise.Create(Noise ?? DiscreteVpNoise.LinearName, BetaStart, BetaEnd, TimeSteps)
            : DiscreteVpNoise.Of("discrete", Sigmas);
        return ZeroTerminalSnr == true ? noise.WithZeroTerminalSnr() : noise;
    }
}
