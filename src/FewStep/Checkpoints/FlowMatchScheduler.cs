namespace FewStep.Checkpoints;

/// <summary>diffusers' scheduler of rectified flows: how it shifts their times, and those that it visits.</summary>
internal sealed record FlowMatchScheduler
{
    /// <summary>Names of its class and of the one with Heun's steps.</summary>
    public static readonly IReadOnlyList<string> Classes = ["FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"];

    /// <summary>Keys of its configuration that no scheduler over betas has.</summary>
    public static readonly IReadOnlyList<string> Keys = ["shift", "use_dynamic_shifting", "stochastic_sampling"];

    /// <summary>Times of training; the network is told the time times this.</summary>
    public int TimeSteps { get; init; } = DiscreteVpNoise.UsualTimes;

    /// <summary>The shift of all times (Esser et al. 2024, equation 23), where it does not depend on the image's size.</summary>
    public double Shift { get; init; } = 1;

    /// <summary>Whether the shift grows with the image instead (Flux).</summary>
    public bool IsDynamic { get; init; }

    /// <summary>mu, the logarithm of a dynamic shift, at <see cref="BaseTokens"/>.</summary>
    public double BaseShift { get; init; } = 0.5;

    /// <summary>mu at <see cref="MostTokens"/>.</summary>
    public double MaxShift { get; init; } = 1.15;

    public double BaseTokens { get; init; } = 256;
    public double MostTokens { get; init; } = 4096;

    /// <summary>Whether a dynamic shift is mu itself, not its exponential.</summary>
    public bool IsLinear { get; init; }

    /// <summary>The last time before 0, to which all are stretched; null for none.</summary>
    public double? TerminalTime { get; init; }

    /// <summary>The noise that such a network was trained on. Its first time, 1, is pure noise: the largest level stands for it.</summary>
    public PreconditioningConfig Preconditioning => new()
    {
        Kind = PreconditioningConfig.Flow,
        TimeScale = TimeSteps,
        SigmaMin = FlowTime.Sigma(FlowTime.Shifted(1.0 / TimeSteps, IsDynamic ? 1 : Shift)),
        SigmaMax = SigmaLimits.Largest,
    };

    /// <summary>The scheduler of the pipeline that a model was opened from; null where it has none, or another.</summary>
    public static FlowMatchScheduler? Of(string path)
    {
        string? folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path));
        return folder is not null && DiffusersPipeline.Locate(folder).Scheduler is string file
            && Classes.Contains(OtherNetworks.ClassOf(JsonFile.ReadPython(file)) ?? "") ? Read(file) : null;
    }

    public static FlowMatchScheduler Read(string path)
    {
        var given = DiffusersConfigFile.From<Keyed>(JsonFile.ReadPython(path), path);
        void Need(bool holds, string key, object? value, string known) => DiffusersConfigFile.Need(holds, path, key, value, known);
        Need(given.NumTrainTimesteps is >= 2 and <= 100_000, "num_train_timesteps", given.NumTrainTimesteps, "2 to 100000");
        Need(given.Shift is >= 0.01 and <= 100, "shift", given.Shift, "0.01 to 100");
        Need(given.InvertSigmas is not true, "invert_sigmas", given.InvertSigmas, "false");
        Need(given.UseKarrasSigmas is not true, "use_karras_sigmas", given.UseKarrasSigmas, "false");
        Need(given.UseExponentialSigmas is not true, "use_exponential_sigmas", given.UseExponentialSigmas, "false");
        Need(given.UseBetaSigmas is not true, "use_beta_sigmas", given.UseBetaSigmas, "false");
        Need(given.TimeShiftType is "exponential" or "linear", "time_shift_type", given.TimeShiftType, "exponential or linear");
        Need(given.ShiftTerminal is null or (> 0 and < 1), "shift_terminal", given.ShiftTerminal, "null or between 0 and 1");
        double low = given.BaseShift ?? 0.5, high = given.MaxShift ?? 1.15, few = given.BaseImageSeqLen ?? 256,
            many = given.MaxImageSeqLen ?? 4096;
        Need(low is > -5 and < 5, "base_shift", low, "between -5 and 5");
        Need(high is > -5 and < 5, "max_shift", high, "between -5 and 5");
        Need(few >= 1 && many > few && many < 1e9, "max_image_seq_len", many, "above base_image_seq_len");
        return new FlowMatchScheduler
        {
            TimeSteps = given.NumTrainTimesteps,
            Shift = given.Shift,
            IsDynamic = given.UseDynamicShifting,
            IsLinear = given.TimeShiftType == "linear",
            BaseShift = low,
            MaxShift = high,
            BaseTokens = few,
            MostTokens = many,
            TerminalTime = given.ShiftTerminal,
        };
    }

    /// <summary>The level of a time: the largest that is computed with for 1, where a flow's is infinite.</summary>
    public static double Level(double time) => Math.Min(FlowTime.Sigma(time), SigmaLimits.Largest);

    /// <summary>The time of a level.</summary>
    public static double Time(double level) => level >= SigmaLimits.Largest ? 1 : FlowTime.Of(level);

    /// <summary>What it does with the times that it is given.</summary>
    /// <param name="tokens">Of the image, for a dynamic shift.</param>
    public FlowShift ShiftFor(long tokens) => new(ShiftOf(tokens), IsDynamic);

    /// <summary>mu of a dynamic shift for an image of so many tokens.</summary>
    public double Mu(long tokens) => BaseShift + ((MaxShift - BaseShift) * (tokens - BaseTokens) / (MostTokens - BaseTokens));

    /// <summary>The times of N steps, N + 1 of them from 1 to 0.</summary>
    /// <param name="tokens">Of the image, for a dynamic shift.</param>
    public double[] Times(int steps, long tokens = 0)
    {
        if (steps is < 1 or > StandardSchedule.MaximumSteps)
            throw new InvalidInputException($"{steps} steps are not 1 to {StandardSchedule.MaximumSteps}.");
        double shift = ShiftOf(tokens);

        // With a dynamic shift the pipeline says 1, ..., 1/N. Else the scheduler goes in equal steps to its smallest time, which is
        // shifted, and shifts again.
        double last = IsDynamic ? 1.0 / steps : FlowTime.Shifted(1.0 / TimeSteps, Shift);
        var times = new double[steps + 1];
        for (int i = 0; i < steps; i++)
            times[i] = FlowTime.Shifted(steps == 1 ? 1 : 1 + ((last - 1) * i / (steps - 1)), shift);
        if (TerminalTime is { } terminal && times[steps - 1] < 1)
        {
            double stretch = (1 - terminal) / (1 - times[steps - 1]);
            for (int i = 0; i < steps; i++)
                times[i] = 1 - ((1 - times[i]) * stretch);
        }

        return times;
    }

    /// <summary>The schedule of N evaluations: its first level is the largest that is computed with, where a flow's would be infinite; its
    /// last step goes to zero.</summary>
    /// <param name="tokens">Of the image, for a dynamic shift.</param>
    public SamplingSchedule Schedule(int evaluations, long tokens = 0) => evaluations < 2
        ? throw new InvalidInputException("A schedule of a flow needs 2 evaluations or more.")
        : new(Times(evaluations, tokens).SkipLast(1).Select(Level), ScheduleTerminal.Zero);

    /// <summary>The schedule in the words of <see cref="StandardSchedules"/>.</summary>
    /// <param name="tokens">Of the image, for a dynamic shift.</param>
    public string Remark(long tokens)
    {
        double shift = Math.Round(ShiftOf(tokens), 4);
        if (shift is not (>= 0.01 and <= 100))
            return "At this size the shift of its scheduler's own schedule is beyond those of schedules here.";
        string name = StandardSchedule.RectifiedFlow(shift).Name, first = $"sigma {SigmaLimits.Largest:R}";
        return IsDynamic || TerminalTime is not null
            ? $"At this size its scheduler's own schedule is about {name} from {first}, a step to zero last."
            : InvariantText.Of($"Its scheduler's own schedule is {name} from {first} to {Schedule(2).Sigmas[^1]:G7}, a step to zero last.")
                .ToString();
    }

    private double ShiftOf(long tokens) => !IsDynamic ? Shift : IsLinear ? Mu(tokens) : Math.Exp(Mu(tokens));

    // The keys and defaults of diffusers.
    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record Keyed
    {
        public int NumTrainTimesteps { get; init; } = DiscreteVpNoise.UsualTimes;
        public double Shift { get; init; } = 1;
        public bool UseDynamicShifting { get; init; }
        public double? BaseShift { get; init; }
        public double? MaxShift { get; init; }
        public double? BaseImageSeqLen { get; init; }
        public double? MaxImageSeqLen { get; init; }
        public bool? InvertSigmas { get; init; }
        public double? ShiftTerminal { get; init; }
        public bool? UseKarrasSigmas { get; init; }
        public bool? UseExponentialSigmas { get; init; }
        public bool? UseBetaSigmas { get; init; }
        public string TimeShiftType { get; init; } = "exponential";
        public bool? StochasticSampling { get; init; }
    }
}
