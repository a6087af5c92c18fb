namespace FewStep.Collectives;

/// <summary>Ranks that an MPI launcher started.</summary>
internal sealed class MpiCollective : ICollective
{
    // Those who wait for a slower rank leave it the processors.
    private static readonly TimeSpan Awake = TimeSpan.FromMilliseconds(2);
    private readonly MpiLibrary _library;

    private MpiCollective(MpiLibrary library) => _library = library;

    public int Rank => _library.Rank;
    public int Ranks => _library.Ranks;

    /// <summary>Bytes that this rank has sent to others.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Joins the ranks; once a process.</summary>
    /// <exception cref="InvalidInputException">There is no MPI library, it is not the launcher's, or the launcher has none.</exception>
    public static MpiCollective Join(Launch launch)
    {
        if (launch.Kind == LauncherKind.SlurmAlone)
        {
            throw new InvalidInputException(InvariantText.Of($"srun started this process as task {launch.Rank} of {launch.Ranks} and ")
                + "without an MPI, so that each would do the whole training, in one folder: say srun --mpi=pmix (Open MPI) or "
                + "--mpi=pmi2 (MPICH), of those that srun --mpi=list names, or srun -n 1. Where each is to train something of its own, "
                + $"unset {Launch.SlurmTasks}.");
        }

        var joined = new MpiCollective(MpiLibrary.Start(launch.Kind));
        if ((launch.Ranks ?? joined.Ranks) != joined.Ranks || launch.Rank != joined.Rank || joined.Ranks == 1)
        {
            string all = launch.Ranks is { } ranks ? InvariantText.Of($"{ranks}") : "several";
            throw new InvalidInputException(InvariantText.Of($"The launcher started this process as rank {launch.Rank} of {all}, the MPI ")
                + InvariantText.Of($"library counts it as rank {joined.Rank} of {joined.Ranks}: they belong to different MPIs. Take the ")
                + $"launcher of the library, or name the launcher's library by {MpiLibrary.Variable}.");
        }

        return joined;
    }

    public void Exchange(ReadOnlySpan<byte> sent, Span<byte> received)
    {
        Meet();
        _library.Exchange(sent, received);
        BytesSent += (long)sent.Length / Ranks * (Ranks - 1);
    }

    public void Gather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        Meet();
        _library.Gather(own, all);
        BytesSent += (long)own.Length * (Ranks - 1);
    }

    /// <summary>Leaves the ranks, when all of them do.</summary>
    public void Leave() => _library.Finish();

    /// <summary>Waits until all ranks are there.</summary>
    public void Meet()
    {
        nint request = _library.Meet();
        long started = Stopwatch.GetTimestamp();
        while (!_library.Test(ref request))
            Thread.Sleep(Stopwatch.GetElapsedTime(started) < Awake ? 0 : 1);
    }
}
