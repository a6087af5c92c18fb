namespace FewStep.Interchange;

/// <summary>In which form a scheduler class of Hugging Face diffusers takes a schedule.</summary>
internal enum DiffusersForm
{
    /// <summary><c>sigmas</c> as they are, the last one included: nothing is appended.</summary>
    Sigmas,

    /// <summary><c>timesteps</c>, whole; a last sigma of zero (or its smallest) is appended.</summary>
    Timesteps,

    /// <summary><c>sigmas</c> as flow times in 0 to 1 without the last; it applies its shift to them and appends a zero.</summary>
    FlowTimes,

    /// <summary><c>sigmas</c> as a tensor of positions on Karras' ramp, from which it computes sigmas; it appends a zero.</summary>
    Ramp,

    /// <summary>Nothing but a number of steps.</summary>
    Nothing,
}

/// <summary>What a scheduler class of Hugging Face diffusers takes in <c>set_timesteps</c>, read from its sources (releases 0.28 to 0.40;
/// DDPM, LCM, TCD and most of those that take a number only in a state of early 2026).</summary>
/// <param name="Since">The first release whose class takes it; null where all of them do.</param>
internal sealed record DiffusersScheduler(string Name, DiffusersForm Form, string? Since = null)
{
    public static IReadOnlyList<DiffusersScheduler> All { get; } =
    [
        new("EulerDiscreteScheduler", DiffusersForm.Sigmas),
        new("HeunDiscreteScheduler", DiffusersForm.Timesteps),
        new("DPMSolverMultistepScheduler", DiffusersForm.Timesteps),
        new("DPMSolverSinglestepScheduler", DiffusersForm.Timesteps),
        new("DDPMScheduler", DiffusersForm.Timesteps),
        new("LCMScheduler", DiffusersForm.Timesteps),
        new("TCDScheduler", DiffusersForm.Timesteps),
        new("FlowMatchEulerDiscreteScheduler", DiffusersForm.FlowTimes, "0.32"),
        new("EDMEulerScheduler", DiffusersForm.Ramp, "0.33"),
        new("EDMDPMSolverMultistepScheduler", DiffusersForm.Nothing),
        new("DDIMScheduler", DiffusersForm.Nothing),
        new("PNDMScheduler", DiffusersForm.Nothing),
        new("LMSDiscreteScheduler", DiffusersForm.Nothing),
        new("EulerAncestralDiscreteScheduler", DiffusersForm.Nothing),
        new("KDPM2DiscreteScheduler", DiffusersForm.Nothing),
        new("DEISMultistepScheduler", DiffusersForm.Nothing),
        new("UniPCMultistepScheduler", DiffusersForm.Nothing),
    ];

    /// <summary>Finds a class by name, with or without <c>Scheduler</c> at its end.</summary>
    public static DiffusersScheduler Find(string name)
    {
        var found = All.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase)
            || string.Equals(s.Name, name + "Scheduler", StringComparison.OrdinalIgnoreCase));
        string usable = string.Join(", ", All.Where(s => s.Form != DiffusersForm.Nothing).Select(s => s.Name));
        return found switch
        {
            null => throw new InvalidInputException(
                $"The scheduler class '{name}' of diffusers is not known; those that take a schedule are {usable}."),
            { Form: DiffusersForm.Nothing } => throw new InvalidInputException($"{found.Name} of diffusers takes a number of steps "
                + $"only{(found.Name == "UniPCMultistepScheduler" ? " (its sigmas are for flow models)" : "")}; those that take a schedule "
                + $"are {usable}."),
            _ => found,
        };
    }
}
