namespace FewStep.Collectives;

/// <summary>What the program that started several processes (<c>mpirun</c>, <c>srun</c>) tells each of them by its environment.</summary>
/// <param name="Rank">This process, from 0.</param>
/// <param name="Ranks">How many there are; null where it is not told.</param>
/// <param name="LocalRank">This process among those of its machine, from 0; null where it is not told.</param>
/// <param name="Kind">Whose launcher it was.</param>
internal sealed record Launch(int Rank, int? Ranks, int? LocalRank, LauncherKind Kind)
{
    /// <summary>What was told; null for a process by itself.</summary>
    /// <param name="variable">The environment's value of a name; null where it has none.</param>
    public static Launch? Of(Func<string, string?> variable)
    {
        int? Number(params string[] names) => names.Select(variable)
            .Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : (int?)null)
            .FirstOrDefault(number => number is not null);

        int? local = Number("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID");
        Launch? launch = (Number("OMPI_COMM_WORLD_RANK"), Number("PMIX_RANK"), Number("PMI_RANK")) switch
        {
            ({ } rank, _, _) => new(rank, Number("OMPI_COMM_WORLD_SIZE"), local, LauncherKind.OpenMpi),
            (_, { } rank, _) => new(rank, Number("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"), local, LauncherKind.OpenMpi),
            (_, _, { } rank) => new(rank, Number("PMI_SIZE"), local, LauncherKind.Mpich),
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
}
