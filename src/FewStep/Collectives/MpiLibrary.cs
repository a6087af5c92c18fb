using System.Runtime.InteropServices;

namespace FewStep.Collectives;

/// <summary>The functions of an MPI library that are used, and its handles.</summary>
/// <remarks>MPI 3.1. A handle is a pointer to an exported object in Open MPI and a number in MPICH and its relatives (Intel MPI, MVAPICH,
/// Cray's), whose common ABI fixes the numbers. Both fit a pointer's register.</remarks>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names another library than those that are looked for.</summary>
    public const string Variable = "FEWSTEP_MPI_LIB";

    private const string OpenMpiWorld = "ompi_mpi_comm_world";
    private const nint MpichWorld = 0x44000000, MpichByte = 0x4c00010d, MpichErrorsReturn = 0x54000001, MpichIgnoredStatus = 1;
    private const int Serialized = 2; // calls by any thread, one at a time
    private const int LongestText = 8192;

    private static readonly string[] OpenMpiNames = ["libmpi.so.40", "libmpi.40.dylib"];
    private static readonly string[] MpichNames = ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"];
    private static readonly string[] MpichFamily = ["MPICH", "INTEL", "MVAPICH"];
    private static readonly string[] AnyNames = ["libmpi.so", "libmpi.dylib"];

    private readonly nint _library, _world, _byte, _ignoredStatus;
    private readonly delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int> _exchange, _gather;
    private readonly delegate* unmanaged<nint, nint*, int> _meet;
    private readonly delegate* unmanaged<nint*, int*, nint, int> _test;

    private MpiLibrary(nint library, string path)
    {
        _library = library;
        bool isOpenMpi = NativeLibrary.TryGetExport(library, OpenMpiWorld, out nint world);
        nint Handle(string name) => NativeLibrary.TryGetExport(library, name, out nint handle) ? handle
            : throw new InvalidInputException($"{path} has no {name}, which an Open MPI has; name another library by {Variable}.");
        (_world, _byte, _ignoredStatus, nint errorsReturn) = isOpenMpi
            ? (world, Handle("ompi_mpi_byte"), 0, Handle("ompi_mpi_errors_return"))
            : (MpichWorld, MpichByte, MpichIgnoredStatus, MpichErrorsReturn);
        if (!isOpenMpi && !MpichFamily.Any(Version().ToUpperInvariant().Contains))
            throw new InvalidInputException($"{path} is neither Open MPI nor of MPICH's family; name another library by {Variable}.");

        _exchange = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)Function("MPI_Alltoall");
        _gather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, int>)Function("MPI_Allgather");
        _meet = (delegate* unmanaged<nint, nint*, int>)Function("MPI_Ibarrier");
        _test = (delegate* unmanaged<nint*, int*, nint, int>)Function("MPI_Test");

        int given;
        Check(((delegate* unmanaged<int*, byte***, int, int*, int>)Function("MPI_Init_thread"))(null, null, Serialized, &given));
        Check(((delegate* unmanaged<nint, nint, int>)Function("MPI_Comm_set_errhandler"))(_world, errorsReturn));
        int rank, ranks;
        Check(((delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_rank"))(_world, &rank));
        Check(((delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_size"))(_world, &ranks));
        (Rank, Ranks) = (rank, ranks);
    }

    public int Rank { get; }
    public int Ranks { get; }

    /// <summary>Loads and starts the library, once a process.</summary>
    /// <exception cref="InvalidInputException">There is none, or it is not one that is known.</exception>
    public static MpiLibrary Start(LauncherKind launcher)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            throw new InvalidInputException("Several ranks train together on Linux and macOS alone; start one process.");
        string? given = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : null;
        string[] names = given is not null ? [given] : launcher == LauncherKind.OpenMpi ? [.. OpenMpiNames, .. MpichNames, .. AnyNames]
            : [.. MpichNames, .. OpenMpiNames, .. AnyNames];
        foreach (string name in names)
        {
            if (!NativeLibrary.TryLoad(name, out nint library))
                continue;

            // An Open MPI without PMI, which is the rule, ends the process on its own account, in some twenty lines.
            if (given is null && launcher == LauncherKind.Mpich && NativeLibrary.TryGetExport(library, OpenMpiWorld, out _))
            {
                throw new InvalidInputException("This process was started as MPICH's are (mpirun of MPICH, srun --mpi=pmi2), and there is "
                    + $"no MPICH but an Open MPI ({name}): start it by mpirun of Open MPI or srun --mpi=pmix. One that was built with "
                    + $"PMI is tried where {Variable} names it.");
            }

            return new MpiLibrary(library, name);
        }

        throw new InvalidInputException("This process was started as one of several by an MPI launcher, and no MPI library was found "
            + $"({string.Join(", ", names)}): install Open MPI or MPICH, or name the library by {Variable}.");
    }

    public void Exchange(ReadOnlySpan<byte> sent, Span<byte> received)
    {
        fixed (byte* from = sent, to = received)
        {
            Check(_exchange(from, sent.Length / Ranks, _byte, to, received.Length / Ranks, _byte, _world));
        }
    }

    public void Gather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        fixed (byte* from = own, to = all)
        {
            Check(_gather(from, own.Length, _byte, to, own.Length, _byte, _world));
        }
    }

    /// <summary>Begins to wait until all ranks are there.</summary>
    public nint Meet()
    {
        nint request;
        Check(_meet(_world, &request));
        return request;
    }

    /// <summary>Whether all are there.</summary>
    public bool Test(ref nint request)
    {
        int done;
        fixed (nint* waited = &request)
        {
            Check(_test(waited, &done, _ignoredStatus));
        }

        return done != 0;
    }

    public void Finish() => Check(((delegate* unmanaged<int>)Function("MPI_Finalize"))());

    private nint Function(string name) => NativeLibrary.TryGetExport(_library, name, out nint function) ? function
        : throw new InvalidInputException($"The MPI library has no {name}; name another by {Variable}.");

    private string Version()
    {
        byte[] text = new byte[LongestText];
        int length;
        fixed (byte* start = text)
        {
            ((delegate* unmanaged<byte*, int*, int>)Function("MPI_Get_library_version"))(start, &length);
        }

        return Encoding.UTF8.GetString(text, 0, Math.Clamp(length, 0, text.Length));
    }

    private void Check(int code)
    {
        if (code == 0)
            return;
        byte[] text = new byte[LongestText];
        int length = 0;
        fixed (byte* start = text)
        {
            ((delegate* unmanaged<int, byte*, int*, int>)Function("MPI_Error_string"))(code, start, &length);
        }

        throw new InvalidInputException(
            $"MPI failed: {Printable.Line(Encoding.UTF8.GetString(text, 0, Math.Clamp(length, 0, text.Length)))}");
    }
}
