using System.Diagnostics;
using System.Text.Json;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Onnx;
using FewStep.Tests.Cli;

namespace FewStep.Tests.Platform;

/// <summary>Inputs are regular files, whoever reads them.</summary>
public sealed class InputFileTests : FolderTests
{
    public static TheoryData<string> Readers => [.. All.Keys];

    private static Dictionary<string, Action<string>> All { get; } = new()
    {
        ["x.json"] = path => JsonFile.Read<JsonElement>(path),
        ["x.npz"] = path => NpzFile.Read(path),
        ["stats.npz"] = path => StatisticsFile.Read(path),
        ["x.safetensors"] = path => SafetensorsFile.Read(path),
        ["x.pt"] = path => TorchStateFile.Read(path),
        ["x.pkl"] = path => CheckpointFormats.Read(path, new ModelReadOptions()),
        ["x.onnx"] = path => OnnxModel.Open(path).Dispose(),
        ["x.zip"] = path => ImageSets.Open(path).Dispose(),
        ["train-images-idx3-ubyte"] = path => ImageSets.Open(path).Dispose(),
        ["folder/a.png"] = path => ImageSets.Open(Path.GetDirectoryName(path)!).Dispose(),
        ["class/a.png"] = path => ImageSources.Open(Path.GetDirectoryName(path)!).Read(0),
        ["x.tar.gz"] = path => ImageSources.Open(path).Dispose(),
        ["data_batch_1.bin"] = path => ImageSources.Open(Path.GetDirectoryName(path)!).Dispose(),
        ["map.txt"] = path => ImageNetClassMap.Read(path),
        ["any"] = path => Sha256.OfFile(path),
    };

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task Pipes_devices_and_nothing_are_refused_at_once(string name)
    {
        if (OperatingSystem.IsWindows())
            return;
        string pipe = _folder.File("pipe/" + name), device = _folder.File("device/" + name), link = _folder.File("link/" + name);
        using (var made = Process.Start("mkfifo", [pipe]))
        {
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        File.CreateSymbolicLink(device, "/dev/zero");
        File.CreateSymbolicLink(link, pipe);
        foreach (string path in new[] { pipe, device, link, _folder.Write("empty/" + name, []) })
        {
            var refusal = await Assert.ThrowsAsync<InvalidInputException>(() => Task.Run(() => All[name](path))
                .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            Assert.Contains("is empty, or a pipe or device", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Verbs_refuse_a_pipe_in_one_line()
    {
        if (OperatingSystem.IsWindows())
            return;
        string device = _folder.File("zero.zip");
        File.CreateSymbolicLink(device, "/dev/zero");
        await CommandLineRun.Refused("pipe or device", "data", "info", "--data", device);
        await CommandLineRun.Refused("pipe or device", "inspect", device);
        await CommandLineRun.Refused("pipe or device", "import", "--from", device, "--output", _folder.File("a.schedule.json"));
    }

    [Fact]
    public void A_link_to_a_file_is_that_file_and_its_size_counts()
    {
        string path = _folder.Write("a.txt", new byte[100]), link = _folder.File("b.txt");
        File.CreateSymbolicLink(link, path);
        Assert.Equal(100, InputFile.ReadAll(link, 100).Length);
        Assert.Contains("100 bytes", Assert.Throws<InvalidInputException>(() => InputFile.ReadAll(link, 99)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Cannot read", Assert.Throws<InvalidInputException>(() => InputFile.Open(_folder.Root)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Cannot read", Assert.Throws<InvalidInputException>(() => InputFile.Open(_folder.File("none"))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("one\ntwo\r\nthree", "one two three")]
    [InlineData("red \u001b[31m and \u0007 and \u202e", "red ?[31m and ? and ?")]
    [InlineData("a whole \U0001F600 pair", "a whole \U0001F600 pair")]
    public void A_message_is_one_line_without_control_characters(string given, string shown)
    {
        Assert.Equal(shown, new InvalidInputException(given).Message);
        Assert.Equal(shown, new InvalidInputException(given, new IOException()).Message);
        Assert.Equal("?", new InvalidInputException(((char)0xd800).ToString()).Message);
    }

    [Fact]
    public void A_message_is_not_endless()
        => Assert.InRange(new InvalidInputException(new string('x', 1 << 20)).Message.Length, 1000, 1300);
}
