using FewStep.Collectives;

namespace FewStep.Tests.Collectives;

public sealed class LaunchTests
{
    [Fact]
    public void The_environment_of_a_launcher_is_understood()
    {
        Assert.Null(Of());
        Assert.Null(Of(("SLURM_PROCID", "1"), ("SLURM_NTASKS", "4"))); // the shell of a job
        Assert.Null(Of(("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")));
        Assert.Equal(new Launch(3, 4, 1, LauncherKind.OpenMpi), Of(("OMPI_COMM_WORLD_RANK", "3"), ("OMPI_COMM_WORLD_SIZE", "4"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"), ("PMIX_RANK", "3")));
        Assert.Equal(new Launch(2, 8, 2, LauncherKind.OpenMpi), Of(("PMIX_RANK", "2"), ("SLURM_NTASKS", "8"), ("SLURM_LOCALID", "2")));
        Assert.Equal(new Launch(1, 2, 1, LauncherKind.Mpich), Of(("PMI_RANK", "1"), ("PMI_SIZE", "2"), ("MPI_LOCALRANKID", "1")));
        Assert.Equal(new Launch(1, 3, 0, LauncherKind.SlurmAlone),
            Of(("SLURM_PROCID", "1"), ("SLURM_LOCALID", "0"), (Launch.SlurmTasks, "3"), ("SLURM_NTASKS", "3")));
        Assert.Null(Of(("SLURM_PROCID", "0"), (Launch.SlurmTasks, "1"), ("SLURM_NTASKS", "4")));
        Assert.Null(Of((Launch.SlurmTasks, "4")));
    }

    [Fact]
    public void Tasks_that_do_not_know_of_each_other_are_refused()
    {
        var launch = new Launch(2, 4, 0, LauncherKind.SlurmAlone);
        string said = Assert.Throws<InvalidInputException>(() => MpiCollective.Join(launch)).Message;
        Assert.Contains("task 2 of 4 and without an MPI", said, StringComparison.Ordinal);
    }

    private static Launch? Of(params (string Name, string Value)[] set)
        => Launch.Of(name => set.FirstOrDefault(s => s.Name == name).Value);
}
