using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FewStep.Collectives;

/// <summary>Learns at once that a rank has ended, by a connection of each to the first: a launcher may leave the others waiting for
/// ever, and MPI says nothing of ranks on the same machine.</summary>
/// <remarks>A process that ends, however it does, closes its connection; a machine without power stops answering. What a rank says before
/// it ends is one letter, and of a failure its line.</remarks>
internal sealed partial class RankWatch : IDisposable
{
    private const byte Done = (byte)'d', Failed = (byte)'f', Told = (byte)'t';
    private const int TokenBytes = 16, PlaceBytes = 2048, LongestLine = 4096, DeadAfterSeconds = 10;
    private static readonly TimeSpan Reach = TimeSpan.FromSeconds(3), Grace = TimeSpan.FromSeconds(1), Farewell = TimeSpan.FromSeconds(5);

    private readonly ICollective _ranks;
    private readonly Action<string?> _lost;
    private readonly Socket?[] _connections;
    private readonly TaskCompletionSource _firstHasEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isOver; // what happens from then on is no news

    private RankWatch(ICollective ranks, Action<string?> lost)
    {
        (_ranks, _lost) = (ranks, lost);
        _connections = new Socket?[ranks.Ranks];
    }

    /// <summary>Ranks that the first has no connection to, which it cannot watch.</summary>
    public IReadOnlyList<int> Unwatched { get; private set; } = [];

    /// <summary>Connects the ranks.</summary>
    /// <param name="lost">Called once, on any thread, when a rank has ended that should not have: with the line to say, or with null where
    /// another rank says it.</param>
    public static RankWatch Start(ICollective ranks, Action<string?> lost)
    {
        var watch = new RankWatch(ranks, lost);
        using var listener = ranks.IsFirst() ? TcpListener.Create(0) : null;
        listener?.Start(ranks.Ranks);
        byte[] token = RandomNumberGenerator.GetBytes(TokenBytes), place = listener is null ? new byte[PlaceBytes] : Place(listener, token);
        byte[] places = new byte[place.Length * ranks.Ranks];
        ranks.Gather(place, places);
        if (listener is not null)
            _ = watch.Accept(listener, token);
        else
            watch._connections[0] = Connect(Encoding.UTF8.GetString(places, 0, PlaceBytes).TrimEnd('\0').Split(' '), ranks.Rank);
        byte[] reached = new byte[ranks.Ranks];
        ranks.Gather([(byte)(ranks.IsFirst() || watch._connections[0] is not null ? 1 : 0)], reached);
        watch.Unwatched = [.. Enumerable.Range(0, ranks.Ranks).Where(r => reached[r] == 0)];
        if (watch._connections[0] is { } first)
            _ = watch.Listen(0, first);
        return watch;
    }

    /// <summary>Ends this process at once: another thread may be waiting within MPI.</summary>
    public static void EndProcess(int code)
    {
        if (OperatingSystem.IsWindows())
            Environment.Exit(code);
        Exit(code);
    }

    /// <summary>Says that this rank has done its work, as all have.</summary>
    public void Leave()
    {
        _isOver = 1;
        Say([Done]);
    }

    /// <summary>Says that this rank has failed. The first rank is the one that people hear; another hands its line on, and waits until
    /// the first has heard it.</summary>
    public void Fail(string line)
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
            return;
        if (_ranks.IsFirst())
        {
            Say([Told]);
            return;
        }

        byte[] text = Encoding.UTF8.GetBytes(line);
        Say([Failed, .. text.AsSpan(0, Math.Min(text.Length, LongestLine))]);
        try
        {
            _connections[0]?.Shutdown(SocketShutdown.Send);
            if (_connections[0] is not null)
                _firstHasEnded.Task.Wait(Farewell);
        }
        catch (SocketException)
        {
            // it has ended already
        }
    }

    public void Dispose()
    {
        _isOver = 1;
        foreach (var connection in _connections)
            connection?.Dispose();
    }

    // Where the first rank can be reached: token, port and addresses.
    private static byte[] Place(TcpListener listener, byte[] token)
    {
        var addresses = NetworkInterface.GetAllNetworkInterfaces().Where(i => i.OperationalStatus == OperationalStatus.Up)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)
            .Where(a => !IPAddress.IsLoopback(a) && !a.IsIPv6LinkLocal)
            .OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .Prepend(IPAddress.Loopback); // whoever answers there without the token is another
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        string text = $"{Convert.ToHexString(token)} {port}";
        foreach (string address in addresses.Select(a => $" {a}"))
            text += text.Length + address.Length <= PlaceBytes ? address : "";
        byte[] place = new byte[PlaceBytes];
        Encoding.ASCII.GetBytes(text, place);
        return place;
    }

    private static Socket? Connect(string[] place, int rank)
    {
        byte[] word = [.. Convert.FromHexString(place[0]), .. BitConverter.GetBytes(rank)];
        int port = int.Parse(place[1], CultureInfo.InvariantCulture);
        foreach (var address in place[2..].Select(IPAddress.Parse))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                using var late = new CancellationTokenSource(Reach);
                socket.ConnectAsync(address, port, late.Token).AsTask().GetAwaiter().GetResult();
                socket.Send(word);
                byte[] answer = new byte[1];
                if (socket.ReceiveAsync(answer, late.Token).AsTask().GetAwaiter().GetResult() == 1 && answer[0] == Done)
                    return Alive(socket);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // by another way then
            }

            socket.Dispose();
        }

        return null;
    }

    private async Task Accept(TcpListener listener, byte[] token)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptSocketAsync().ConfigureAwait(false);
                _ = Greet(socket, token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // all have come, or will not
        }
    }

    private async Task Greet(Socket socket, byte[] token)
    {
        byte[] word = new byte[TokenBytes + sizeof(int)];
        try
        {
            using var late = new CancellationTokenSource(Reach);
            for (int got = 0, more; got < word.Length; got += more)
            {
                more = await socket.ReceiveAsync(word.AsMemory(got), late.Token).ConfigureAwait(false);
                if (more == 0)
                    throw new SocketException((int)SocketError.ConnectionReset);
            }

            int rank = BitConverter.ToInt32(word, TokenBytes);
            if (!CryptographicOperations.FixedTimeEquals(word.AsSpan(0, TokenBytes), token) || rank < 1 || rank >= _ranks.Ranks)
                throw new SocketException((int)SocketError.AccessDenied);
            _connections[rank] = Alive(socket);
            await socket.SendAsync(new[] { Done }).ConfigureAwait(false);
            await Listen(rank, socket).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
        }
    }

    private static Socket Alive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, DeadAfterSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, DeadAfterSeconds / 3);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        socket.NoDelay = true;
        return socket;
    }

    // Until a rank has said its last.
    private async Task Listen(int rank, Socket socket)
    {
        byte[] heard = new byte[1 + LongestLine];
        int length = 0;
        try
        {
            int more;
            do
            {
                more = await socket.ReceiveAsync(heard.AsMemory(length)).ConfigureAwait(false);
                length += more;
            }
            while (more > 0 && length < heard.Length && heard[0] == Failed);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // it has ended without a word
        }

        await Heard(rank, heard.AsMemory(0, length)).ConfigureAwait(false);
    }

    private async Task Heard(int rank, ReadOnlyMemory<byte> heard)
    {
        byte? kind = heard.Length == 0 ? null : heard.Span[0];
        if (rank == 0)
            _firstHasEnded.TrySetResult();
        if (kind == Done)
            return;
        if (kind == Failed)
            await Task.Delay(Grace).ConfigureAwait(false); // what fails on all ranks is said by the first itself
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
            return;
        if (_ranks.IsFirst())
            Say([Told]);
        _lost(kind switch
        {
            Told => null,
            Failed => InvariantText.Of($"Rank {rank}: {Printable.Message(Encoding.UTF8.GetString(heard.Span[1..]))}"),
            _ when _ranks.Rank > 1 => null, // the second says it for all that are left
            _ => InvariantText.Of($"Rank {rank} has ended without a word (killed, or its machine is gone), and all ranks end with it; ")
                + "repeat the command to go on from the last checkpoint.",
        });
    }

    private void Say(byte[] word)
    {
        foreach (var connection in _connections)
        {
            try
            {
                connection?.Send(word);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // nobody is there to hear it
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void Exit(int code);
}
