namespace FewStep.Tests.Platform;

public sealed class FolderLockTests : FolderTests
{
    [Fact]
    public void A_folder_is_one_holders_at_a_time_and_says_whose()
    {
        string folder = _folder.File("a");
        using (FolderLock.Take(folder))
        {
            Refused.With($"process {Environment.ProcessId} on {Environment.MachineName}", () => FolderLock.Take(folder));
            Assert.True(FolderLock.IsEmpty(folder));
            File.WriteAllText(Path.Combine(folder, "result.json"), "{}");
            Assert.False(FolderLock.IsEmpty(folder));
        }

        Assert.Equal(["result.json"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName));
        FolderLock.Take(folder).Dispose();
        Assert.Equal(["result.json"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName));
    }

    [Fact]
    public void A_folder_that_was_made_goes_again_where_nothing_was_written()
    {
        FolderLock.Take(Path.Combine(_folder.Root, "new", "deep")).Dispose();
        Assert.False(Directory.Exists(_folder.File("new")));
        Directory.CreateDirectory(_folder.File("old"));
        FolderLock.Take(_folder.File("old")).Dispose();
        Assert.True(Directory.Exists(_folder.File("old")));
    }

    [Fact]
    public void What_a_killed_process_left_is_no_obstacle_and_goes()
    {
        string folder = _folder.File("b");
        Directory.CreateDirectory(Path.Combine(folder, "model"));
        string inside = Path.Combine("model", $"y.{Guid.NewGuid():N}.tmp");
        string[] left = [FolderLock.FileName, FolderLock.HolderName, $"x.json.{Guid.NewGuid():N}.tmp", inside];
        string[] kept = ["mine.tmp", "model.tmp", $"{Guid.NewGuid():N}.tmp"];
        foreach (string name in left.Concat(kept))
            File.WriteAllText(Path.Combine(folder, name), "process 1 on elsewhere");
        FolderLock.Take(folder).Dispose();
        Assert.Equal(kept.Order(), Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order());
    }
}
