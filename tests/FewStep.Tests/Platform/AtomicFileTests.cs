using System.Diagnostics;

namespace FewStep.Tests.Platform;

public sealed class AtomicFileTests : FolderTests
{
    [Fact]
    public void A_failure_leaves_the_file_as_it_was_and_nothing_beside_it()
    {
        string path = _folder.File("a.txt");
        AtomicFile.WriteText(path, "first");
        Assert.Throws<ArithmeticException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new ArithmeticException();
        }));
        Assert.Equal("first", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.File("")));
    }

    [Fact]
    public async Task A_pipe_is_written_through_and_stays()
    {
        if (OperatingSystem.IsWindows())
            return;
        string pipe = _folder.File("pipe");
        using (var made = Process.Start("mkfifo", [pipe]))
        {
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var read = Task.Run(() => File.ReadAllText(pipe), TestContext.Current.CancellationToken);
        await Task.Run(() => AtomicFile.WriteText(pipe, "through"), TestContext.Current.CancellationToken);
        Assert.Equal("through", await read.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal([pipe], Directory.GetFiles(_folder.File("")));
        Assert.Equal(0, new FileInfo(pipe).Length);
    }

    [Fact]
    public void A_symbolic_link_stays_and_its_target_is_written()
    {
        if (OperatingSystem.IsWindows())
            return;
        string target = _folder.File("there/a.txt"), link = _folder.File("link"), dangling = _folder.File("dangling");
        Directory.CreateDirectory(_folder.File("there"));
        File.WriteAllText(target, "old");
        File.CreateSymbolicLink(link, target);
        File.CreateSymbolicLink(dangling, _folder.File("there/b.txt"));
        AtomicFile.WriteText(link, "new");
        AtomicFile.WriteText(dangling, "born");
        Assert.Equal(("new", "born"), (File.ReadAllText(target), File.ReadAllText(_folder.File("there/b.txt"))));
        Assert.All([link, dangling], l => Assert.NotNull(new FileInfo(l).LinkTarget));
        File.CreateSymbolicLink(_folder.File("x"), _folder.File("y"));
        File.CreateSymbolicLink(_folder.File("y"), _folder.File("x"));
        Refused.With("Cannot write", () => AtomicFile.WriteText(_folder.File("x"), "nowhere"));
    }
}
