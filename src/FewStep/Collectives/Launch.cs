namespace FewStep.Collectives;

/// <summary>What the program that started several processes (<c>mpirun</c>, <c>srun</c>) tells each of them by its environment.</summary>
/// <param name="Rank">This process, from 0.</param>
/// <param name="Ranks">How many there are; null where it is not told.</param>
/// <param name="LocalRank">This process among those of its machine, from 0; null where it is not told.</param>
/// <param name="Kind">Whose launcher it was.</param>
internal sealed record Launch(int Rank, int? Ranks, int? LocalRank, LauncherKind Kind)
{
    /// <summary>Says of a task of Slurm's <c>srun</c> how many there are.</summary>
    public const string SlurmTasks = "SLURM_STEP_NUM_TASKS";

    /// <summary>What was told; null for a process by itself.</summary>
    /// <param name="variable">The environment's value of a name; null where it has none.</param>
    public static Launch? Of(Func<string, string?> variable)
    {
        int? Number(params string[] names) => names.Select(variable)
            .Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : (int?)null)
            .FirstOrDefault(number => number is not null);

        int? local = Number("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID");
        // A job's own shell has a number among the tasks too, but not how many a step has.
        int? tasks = Number(SlurmTasks);
        Launch? launch = (Number("OMPI_COMM_WORLD_RANK"), Number("PMIX_RANK"), Number("PMI_RANK"), Number("SLURM_PROCID")) switch
        {
            ({ } rank, _, _, _) => new(rank, Number("OMPI_COMM_WORLD_SIZE"), local, LauncherKind.OpenMpi),
            (_, { } rank, _, _) => new(rank, tasks ?? Number("SLURM_NTASKS"), local, LauncherKind.OpenMpi),
            (_, _, { } rank, _) => new(rank, Number("PMI_SIZE"), local, LauncherKind.Mpich),
            (_, _, _, { } task) when tasks is not null => new(task, tasks, local, LauncherKind.SlurmAlone),
            _ => null,
        };
        return launch is { Ranks: 1 } ? null : launch;
    }
}

/// <summary>Whose launcher started the processes, and so whose library is looked for first.</summary>
internal enum LauncherKind
{
    /// <summary>Open MPI's, or one that speaks PMIx.</summary>
    OpenMpi,

    /// <summary>MPICH's, or one that speaks PMI as MPICH and its relatives do.</summary>
    Mpich,

    /// <summary>Slurm's without an MPI: its processes do not know of each other.</summary>
    SlurmAlone,
}
